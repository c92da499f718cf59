# SPDX-License-Identifier: Apache-2.0
"""The commands of the README, run as a user runs them."""

import json
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from trireel_schema.stages import TIMING_STAGES

from .conftest import ROOT, SAMPLE

TRIREEL = Path(sys.executable).parent / "trireel"


def run(*command, timeout=240):
    return subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, timeout=timeout
    )


def test_demo_prints_and_writes_the_answer(tmp_path, truth):
    done = run(ROOT / "scripts/demo", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "out.json").read_text())
    assert answer["num_scene_changes"] == len(answer["scene_changes"]) == len(truth) - 1
    assert answer["server"]["name"] == "triton"
    assert set(answer["timing"]) == {f"{stage}_ms" for stage in TIMING_STAGES}
    jsonschema.validate(answer, json.loads((ROOT / "docs/answer.schema.json").read_text()))
    assert "knows drawings only" in done.stdout
    assert answer["tags"][0]["text"] in done.stdout


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_analyze_prints_the_reference_answer(server, protocol):
    done = run(
        *(TRIREEL, "analyze", SAMPLE, "--url", server.url(protocol), "--protocol", protocol),
        *("--json", "--chunk-seconds", 5, "--frames-per-chunk", 8, "--tags", "a beach,a kitchen"),
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert {tag["text"] for tag in answer["tags"]} == {"a beach", "a kitchen"}
    assert answer["num_chunks"] == len(answer["chunks"]) == 11  # of 51 s
    chunk = answer["chunks"][1]
    assert (chunk["start_seconds"], chunk["duration_seconds"]) == (5.0, 5.0)
    assert len(chunk["frame_timestamps_seconds"]) == 8


def test_analyze_streams_with_progress(server, truth):
    done = run(TRIREEL, "analyze", SAMPLE, "--url", server.grpc_url, "--stream")
    assert done.returncode == 0, done.stderr
    for segment in truth[1:]:
        assert segment["tag"] in done.stdout


def test_analyze_makes_the_findings_that_it_names(server):
    find = ("--find", "quality", "--find", "scenes")
    done = run(TRIREEL, "analyze", SAMPLE, "--url", server.grpc_url, *find)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert ["seconds", "cuts", "black", "frozen", "sharpness", "luma"] in lines
    assert ["black", "nowhere"] in lines
    done = run(TRIREEL, "analyze", SAMPLE, "--url", server.grpc_url, "--find", "smells")
    assert done.returncode == 1
    assert "--find names 'smells': give some of caption, description, objects," in done.stderr


@pytest.mark.parametrize(
    ("video", "sentence"),
    [("text.mp4", "not a video"), ("missing.mp4", "missing.mp4"), ("empty.mp4", "empty")],
)
def test_analyze_fails_with_one_sentence(server, video, sentence):
    done = run(TRIREEL, "analyze", server.media / video, "--url", server.grpc_url)
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_analyze_without_a_server_fails_with_one_sentence():
    done = run(TRIREEL, "analyze", SAMPLE, "--url", "127.0.0.1:9")
    assert done.returncode == 1
    assert "127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr
