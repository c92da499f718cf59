# SPDX-License-Identifier: Apache-2.0
"""The `trireel` command against a loopback server."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scripted import INVALID, bytes_of, stream_of, whole_video

from trireel_client._command.cli import app
from trireel_schema.catalogue import FINDINGS

pytestmark = pytest.mark.usefixtures("plain_wide_terminal")


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    """A server that knows one video."""
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    return server


def run(server: Loopback, *arguments: str):
    options = ["--url", server.url, "--protocol", server.protocol]
    return CliRunner().invoke(app, [*arguments, *options])


def test_readable_answer(ready: Loopback, video: str) -> None:
    result = run(ready, "analyze", video)
    assert result.exit_code == 0, result.stderr
    assert "30.00 s, 3 chunks, 2 cuts, by triton 2.51.0" in result.stdout
    assert "“A person cooking”" in result.stdout
    assert "▼" in result.stdout
    assert "10.0-20.0" in result.stdout
    assert "kitchen, café" in result.stdout
    assert "extract 20.5" in result.stdout
    assert result.stderr == ""


def test_json_and_nothing_else(ready: Loopback, video: str, tmp_path) -> None:
    output = tmp_path / "answer.json"
    result = run(ready, "analyze", video, "--json", "--output", str(output))
    answer = json.loads(result.stdout)
    assert answer["num_chunks"] == 3
    assert json.loads(output.read_text()) == answer
    assert result.stderr == ""


def test_options_reach_the_server(ready: Loopback) -> None:
    result = run(
        ready,
        *("analyze", "clips/a.mp4", "--server-path", "--tags", "a cat, a dog", "--top-k", "2"),
        *("--chunk-seconds", "2.5", "--frames-per-chunk", "8", "--scene-threshold", "0.2"),
    )
    assert result.exit_code == 0, result.stderr
    (asked,) = ready.script.asked
    assert asked.inputs["VIDEO"][0] == b"clips/a.mp4"
    assert list(asked.inputs["TAGS"]) == [b"a cat", b"a dog"]
    assert asked.inputs.keys() == {
        "VIDEO",
        "TAGS",
        "TOP_K",
        "CHUNK_SECONDS",
        "FRAMES_PER_CHUNK",
        "SCENE_THRESHOLD",
    }


def test_sampling_options_reach_the_server(ready: Loopback) -> None:
    result = run(
        ready,
        *("analyze", "a.mp4", "--server-path", "--sample-fps", "1.5", "--keyframes-only"),
        *("--crop", "0.25,0, 0.5,1", "--stream-index", "2"),
    )
    assert result.exit_code == 0, result.stderr
    result = run(ready, "analyze", "a.mp4", "--server-path", "--crop-px", "-1,0,64,48")
    assert result.exit_code == 0, result.stderr  # a range is the server's to refuse
    first, second = (asked.inputs for asked in ready.script.asked)
    del first["VIDEO"], second["VIDEO"]
    assert {name: tensor.tolist() for name, tensor in first.items()} == {
        "SAMPLE_FPS": [1.5],
        "KEYFRAMES_ONLY": [True],
        "CROP": [0.25, 0.0, 0.5, 1.0],
        "STREAM_INDEX": [2],
    }
    assert {name: tensor.tolist() for name, tensor in second.items()} == {
        "CROP_PX": [-1, 0, 64, 48]
    }


def test_findings_reach_the_server_and_the_terminal(ready: Loopback) -> None:
    quality = {
        "CHUNK_QUALITY_BLACK_SHARES": np.array([0.0, 0.375, 0.0], np.float32),
        "CHUNK_QUALITY_FROZEN_SHARES": np.zeros(3, np.float32),
        "CHUNK_QUALITY_SHARPNESS": np.array([812.5, 3.0, 4.0], np.float32),
        "CHUNK_QUALITY_LUMAS": np.array([101.25, 16.0, 99.0], np.float32),
        "QUALITY_BLACK_INTERVALS": np.array([[11.25, 15.0], [17.5, 20.0]]),
        "QUALITY_FREEZE_INTERVALS": np.zeros((0, 2)),
    }
    ready.script.answers["video_analysis"] = lambda asked: {**whole_video(), **quality}
    result = run(ready, "analyze", "a.mp4", "--server-path", "--find", "tags", "--find", "quality")
    assert result.exit_code == 0, result.stderr
    assert list(ready.script.asked[-1].inputs["FIND"]) == [b"tags", b"quality"]
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert "a.mp4 30.00 s, 3 chunks, by triton 2.51.0" in lines
    assert "black 11.25-15.00, 17.50-20.00 s" in lines
    assert "frozen nowhere" in lines
    assert "seconds tags black frozen sharpness luma" in lines
    assert "10.0-20.0 kitchen, café 38% 0% 3.0 16.0" in lines
    result = run(ready, "analyze", "a.mp4", "--server-path", "--find", "quality")
    assert result.exit_code == 0, result.stderr
    assert "seconds black frozen sharpness luma" in " ".join(result.stdout.split())
    assert "cosine" not in result.stdout


def test_help_names_all_findings() -> None:
    text = CliRunner().invoke(app, ["analyze", "--help"]).stdout
    for name in FINDINGS:
        assert name in text


@pytest.mark.parametrize(
    ("changed", "headline"),
    [
        ({}, "2 cuts, by triton 2.51.0\n"),
        ({"DECODER": bytes_of(["webp (pillow)"])}, "2 cuts, by triton 2.51.0\n"),
        (
            {"DECODER": bytes_of(["h264 (cuda)"])},
            "2 cuts, by triton 2.51.0, decoded by h264 (cuda)\n",
        ),
        (
            {
                "STREAM_INDEX": np.array([2], np.int32),
                "VIDEO_STREAM_INDICES": np.array([0, 2], np.int32),
            },
            "2 cuts, by triton 2.51.0, stream 2 (video streams: 0, 2)\n",
        ),
        (
            {"CHUNK_DAMAGED_PACKETS": np.array([0, 9, 3], np.int32)},
            "2 cuts, by triton 2.51.0  12 damaged packets skipped\n",
        ),
        (
            {"CHUNK_DAMAGED_PACKETS": np.array([1, 0, 0], np.int32)},
            "2 cuts, by triton 2.51.0  1 damaged packet skipped\n",
        ),
    ],
)
def test_headline_says_what_is_out_of_the_ordinary(
    ready: Loopback, video: str, changed: dict[str, np.ndarray], headline: str
) -> None:
    ready.script.answers["video_analysis"] = lambda asked: {**whole_video(), **changed}
    assert headline in run(ready, "analyze", video).stdout


def test_stream_shows_progress_on_stderr(grpc_only: Loopback, video: str) -> None:
    grpc_only.script.answers["video_analysis_stream"] = lambda asked: stream_of()
    result = run(grpc_only, "analyze", video, "--stream", "--json")
    assert json.loads(result.stdout)["num_chunks"] == 3
    assert "3/3" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["no.mp4"], "there is no file 'no.mp4' on this machine; for a path in the server's media"),
        (["TOP_K.mp4"], "file 'TOP_K.mp4' on this machine"),
        (["no.mp4"], "media folder add --server-path\n"),
        (["a.mp4", "--server-path"], "trireel: --top-k is 0: give"),
        (["a.mp4", "--server-path", "--tags", " , "], "trireel: --tags is empty"),
        (["a.mp4", "--server-path", "--find", " "], "trireel: --find holds ' '"),
        (
            ["a.mp4", "--server-path", "--crop", "0,0,1,1", "--crop-px", "0,0,8,8"],
            "got both of --crop and --crop-px: give one of them",
        ),
    ],
)
def test_errors_are_one_sentence(ready: Loopback, arguments: list[str], message: str) -> None:
    ready.script.refusals = [INVALID]
    result = run(ready, "analyze", *arguments)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("trireel: ")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze"],
        ["analyze", "a.mp4", "--top-k", "many"],
        ["analyze", "a.mp4", "--stream", "--protocol", "http"],
        ["analyze", "a.mp4", "--url", "nowhere"],
        ["analyze", "a.mp4", "--timeout", "0"],
        ["analyze", "a.mp4", "--timeout", "inf"],
        ["analyze", "a.mp4", "--timeout", "nan"],
        ["analyse", "a.mp4"],
        ["status", "--url", "http://127.0.0.1:8000"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("option", "text", "message"),
    [
        ("--crop", "0,0,1", "'0,0,1' is not four numbers"),
        ("--crop", "0,0,1,1,1", "is not four numbers"),
        ("--crop", "0,0,1,wide", "is not four numbers"),
        ("--crop-px", "0,0,0.5,1", "'0,0,0.5,1' is not four whole numbers"),
    ],
)
def test_crops_that_are_none(option: str, text: str, message: str) -> None:
    result = CliRunner().invoke(app, ["analyze", "a.mp4", option, text])
    assert result.exit_code == 2
    assert option in result.stderr
    assert f"{message}: give left,top,width,height" in " ".join(result.stderr.split())


@pytest.mark.parametrize("tag", ["[/b]", "[bold]"])
def test_words_of_others_are_no_markup(grpc_only: Loopback, video: str, tag: str) -> None:
    def tagged():
        for answer in stream_of():
            texts = np.full_like(answer["CHUNK_TAG_TEXTS"], tag.encode())
            yield {**answer, "CHUNK_TAG_TEXTS": texts, "TAG_TEXTS": texts[0]}

    grpc_only.script.answers["video_analysis_stream"] = lambda asked: tagged()
    result = run(grpc_only, "analyze", video, "--stream", "--tags", tag)
    assert result.exit_code == 0, result.stderr
    assert tag in result.stdout
    assert f"{tag}, up to 30.0 s" in result.stderr


def test_a_name_that_is_no_text_is_printed_all_the_same(ready: Loopback, tmp_path) -> None:
    video = tmp_path / "caf\udce9.mp4"
    video.write_bytes(b"moving pictures")
    result = run(ready, "analyze", str(video))
    assert result.exit_code == 0, result.stderr
    assert "caf?.mp4  30.00 s" in result.stdout


def test_a_reader_that_has_enough_is_no_error(ready: Loopback, video: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    options = ["--url", ready.url, "--protocol", ready.protocol, "--json"]
    program = "from trireel_client._command.cli import app; app()"
    command = [sys.executable, "-c", program, "analyze", video, *options]
    try:
        ended = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    finally:
        os.close(writing)
    assert (ended.returncode, ended.stderr) == (1, "")


def test_an_unwritable_output_is_reported_before_the_request(
    ready: Loopback, video: str, tmp_path
) -> None:
    result = run(ready, "analyze", video, "--output", str(tmp_path / "missing" / "a.json"))
    assert result.exit_code == 2
    assert "--output" in result.stderr
    assert "there is no folder" in result.stderr
    assert not ready.script.asked


def test_what_cannot_be_written_is_printed(ready: Loopback, video: str) -> None:
    result = run(ready, "analyze", video, "--output", "/dev/full")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["num_chunks"] == 3
    assert "No space left" in result.stderr
