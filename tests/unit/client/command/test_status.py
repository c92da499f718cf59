# SPDX-License-Identifier: Apache-2.0
"""`trireel status`, and the versions and the completion of the command."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scripted import bytes_of, details, whole_video

from trireel_client import NotFound
from trireel_client._command.cli import app
from trireel_client._command.status import MODELS
from trireel_client._guesses import GUESSES
from trireel_export.cli import app as export_app

NOTE = "It knows drawings only."


pytestmark = pytest.mark.usefixtures("plain_wide_terminal")


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    """A server with all models."""
    server.script.answers["server_info"] = lambda asked: details()
    server.script.models_ready = dict.fromkeys(MODELS, True)
    return server


def run(server: Loopback, *arguments: str):
    options = ["--url", server.url, "--protocol", server.protocol]
    return CliRunner().invoke(app, [*arguments, *options])


def test_status(ready: Loopback) -> None:
    result = run(ready, "status")
    assert result.exit_code == 0
    assert f"triton 2.51.0 at {ready.url}: ready" in result.stdout
    assert all(model in result.stdout for model in MODELS)
    ready.script.models_ready["siglip_text"] = False
    result = run(ready, "status")
    assert result.exit_code == 1
    assert "not ready" in result.stdout


def test_status_shows_what_the_server_is(ready: Loopback) -> None:
    lines = [" ".join(line.split()) for line in run(ready, "status").stdout.splitlines()]
    assert lines[1] == NOTE
    assert "checkpoint toy, weights 2e0abb2998c7" in lines
    assert "tower 96 px, fp32, onnxruntime, embeddings 8 wide" in lines
    assert "text bank 20 tags, 7 descriptions, hash 77c0ffee77c0" in lines
    assert "chunks 10 s, 16 frames; FFmpeg 8.1.2" in lines
    assert "scenes sampled, refined; threshold 0.15, alpha 0.25" in lines


def test_status_shows_the_detector(ready: Loopback) -> None:
    assert not any(line.startswith("detector") for line in run(ready, "status").stdout.splitlines())
    texts = {"DETECTOR": ["toy-detector"], "DETECTOR_NOTE": ["Drawn objects only."]}
    texts["DETECTOR_LABELS"] = ["person", "car"]
    detector = {name: bytes_of(values) for name, values in texts.items()}
    detector["DETECTOR_THRESHOLD"] = np.array([0.4], np.float32)
    ready.script.answers["server_info"] = lambda asked: {**details(), **detector}
    lines = [" ".join(line.split()) for line in run(ready, "status").stdout.splitlines()]
    assert lines[1:3] == [NOTE, "Drawn objects only."]
    assert "detector toy-detector, threshold 0.4" in lines
    assert "labels person, car" in lines
    ready.script.answers["server_info"] = lambda asked: {
        **details(),
        **{name: tensor[:0] for name, tensor in detector.items() if name == "DETECTOR_LABELS"},
        "DETECTOR": bytes_of([""]),
        "DETECTOR_NOTE": bytes_of([""]),
        "DETECTOR_THRESHOLD": np.array([0.0], np.float32),
    }
    assert "labels" not in run(ready, "status").stdout  # a server without a detector


def test_status_of_a_server_without_details(ready: Loopback) -> None:
    ready.script.models_ready["server_info"] = False
    result = run(ready, "status")
    assert result.exit_code == 0  # an older server
    assert "text bank" not in result.stdout
    del ready.script.answers["server_info"]
    with ready.client() as client, pytest.raises(NotFound):
        client.server_details()


def test_status_of_nobody() -> None:
    result = CliRunner().invoke(app, ["status", "--url", "127.0.0.1:1"])
    assert result.exit_code == 1
    assert "no server listens there" in result.stderr


def test_an_answer_names_its_checkpoint(server: Loopback, video: str) -> None:
    checkpoint = {"CHECKPOINT": bytes_of(["toy"]), "CHECKPOINT_NOTE": bytes_of([NOTE])}
    server.script.answers["video_analysis"] = lambda asked: {**whole_video(), **checkpoint}
    shown = run(server, "analyze", video).stdout
    assert "by triton 2.51.0, checkpoint toy\n" in shown
    assert f"\n{NOTE}\n" in shown
    assert GUESSES not in shown
    answer = run(server, "analyze", video, "--json").stdout
    assert f'"checkpoint_note": "{NOTE}"' in answer


def test_texts_of_low_probability_are_guesses(server: Loopback, video: str) -> None:
    unlikely = {
        "TAG_PROBABILITIES": np.array([0.1, 0.0999], np.float32),
        "CAPTION_PROBABILITY": np.array([0.01], np.float32),
    }
    server.script.answers["video_analysis"] = lambda asked: {**whole_video(), **unlikely}
    shown = run(server, "analyze", video).stdout
    assert "“A person cooking?”" in shown
    assert re.search(r"^kitchen +█", shown, re.M)
    assert re.search(r"^beach\? +█", shown, re.M)
    assert f"\n{GUESSES}\n" in shown


@pytest.mark.parametrize("command", [app, export_app])
def test_versions(command) -> None:
    result = CliRunner().invoke(command, ["--version"])
    assert result.exit_code == 0
    assert re.fullmatch(r"trireel(-export)? \d+\.\d+\.\d+\n", result.stdout)


def test_the_shell_completes_options() -> None:
    environment = {
        **os.environ,
        "_TRIREEL_COMPLETE": "complete_bash",
        "COMP_WORDS": "trireel analyze --tags-f",
        "COMP_CWORD": "2",
    }
    command = [sys.executable, "-m", "trireel_client"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.stdout.split() == ["--tags-file"]
