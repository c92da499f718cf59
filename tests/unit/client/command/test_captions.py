# SPDX-License-Identifier: Apache-2.0
"""`trireel captions` against a scripted server: what it prints, writes, and leaves behind."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from support.s3 import s3_server
from support.signals import heed_ctrl_c
from typer.testing import CliRunner
from unit.client.clips.made import made_report
from unit.client.loopback import Loopback
from unit.client.scripted import Refused
from unit.client.scripted_captions import CLIPS, TEXTS, captions_answer, captions_stream

from trireel_client import CaptionStage
from trireel_client._captions import CAPTIONS_SCHEMA_VERSION
from trireel_client._command.caption_report import show_report
from trireel_client._command.cli import app

MODEL = "caption_extents"
SCHEMA = json.loads((Path(__file__).parents[4] / "docs/captions.schema.json").read_text())
SRT = """1
00:00:01,000 --> 00:00:02,750
Hello there

2
00:00:02,750 --> 00:00:04,500
Two lines
of text

3
00:00:07,000 --> 00:00:08,500
Über <alles> & more
"""

pytestmark = pytest.mark.usefixtures("plain_wide_terminal")


@pytest.fixture
def ready(grpc_only: Loopback) -> Loopback:
    """A server that reads one video's captions."""
    grpc_only.script.answers[MODEL] = lambda asked: captions_stream()
    return grpc_only


def run(server: Loopback, *arguments: str):
    return CliRunner().invoke(app, ["captions", *arguments, "--url", server.url])


def inputs_of(server: Loopback) -> dict:
    (asked,) = server.script.asked_of(MODEL)
    return {name: array.tolist() for name, array in asked.inputs.items() if "VIDEO" not in name}


def broken_after_a_clip():
    yield captions_answer([0], [0])
    raise Refused("INTERNAL", 500, "the GPU is gone")


def test_captions_and_the_report_are_printed(ready: Loopback, video: str) -> None:
    result = run(ready, video)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[:3] == [
        "00:00:01.500  00:00:03.250  Hello there",
        "00:00:03.250  00:00:05.000  Two lines / of text",
        "00:00:07.500  00:00:09.000  Über <alles> & more",
    ]
    assert "sample.mp4: 3 captions in 10.0 s of video, read in" in lines[4]
    assert [line.split()[0] for line in lines[6:10]] == ["extract", "compare", "read", "encode"]
    assert lines[10].startswith("encode bounds the rest: it waited for others for 0% of the time")
    assert inputs_of(ready) == {}


def test_the_report_names_what_to_change(capsys: pytest.CaptureFixture[str]) -> None:
    stages = (
        CaptionStage(name="extract", count=600, busy_ms=9_000, wait_ms=50_000, starved_ms=0),
        CaptionStage(name="encode", count=6, busy_ms=57_000, wait_ms=0, starved_ms=3_000),
        CaptionStage(name="new", count=1, busy_ms=10),
    )
    report = replace(made_report(6), stages=stages, client_ms=60_000.0, is_complete=False)
    show_report(report, "a.mp4", "s3://clips/a")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:] == [
        "a.mp4: 0 captions in 30.0 s of video, read in 60.0 s (0.5 x as fast as it plays)",
        "6 clips of 300 frames in s3://clips/a",
        "the file is cut off: this is the part that is there",
        "stage    count  per second    busy  waited for input  waited for room",
        "extract    600        10.0   9.0 s             0.0 s           50.0 s",
        "encode       6         0.1  57.0 s             3.0 s            0.0 s",
        "new          1         0.0   0.0 s                                   ",
        "encode bounds the rest: it waited for others for 5% of the time. To go faster, choose a"
        " faster encoder (--clip-cpu-used 8), or give the server more cores: each encodes a clip.",
    ]


def test_options_reach_the_server(ready: Loopback, video: str, tmp_path: Path) -> None:
    clips = ["--clips", str(tmp_path / "c"), "--clip-codec", "av1", "--clip-crf", "40"]
    more = ["--clip-seconds", "5", "--clip-cpu-used", "9", "--clip-deadline", "good"]
    where = ["--crop", "0,0.75,1,0.25", "--fps", "0", "--stream-index", "1"]
    result = run(ready, video, *where, *clips, *more)
    assert result.exit_code == 0, result.stderr
    assert inputs_of(ready) == {
        "CROP": [0.0, 0.75, 1.0, 0.25],
        "SAMPLE_FPS": [0.0],
        "STREAM_INDEX": [1],
        "WITH_CLIPS": [True],
        "CLIP_CODEC": [b"av1"],
        "CLIP_CRF": [40],
        "CLIP_SECONDS": [5.0],
        "CLIP_CPU_USED": [9],
        "CLIP_DEADLINE": [b"good"],
    }


def test_subtitles_count_from_the_first_frame(ready: Loopback, video: str, tmp_path: Path) -> None:
    srt, vtt = tmp_path / "a.srt", tmp_path / "a.vtt"
    result = run(ready, video, "--find-region", "--srt", str(srt), "--vtt", str(vtt))
    assert result.exit_code == 0, result.stderr
    assert srt.read_text() == SRT
    expected = SRT.replace(",", ".").replace("<alles> &", "&lt;alles&gt; &amp;")
    assert vtt.read_text() == "WEBVTT\n\n" + expected
    assert inputs_of(ready) == {"FIND_REGION": [True]}


def test_the_json_is_as_its_schema_says(ready: Loopback, video: str, tmp_path: Path) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["properties"]["schema_version"]["const"] == CAPTIONS_SCHEMA_VERSION
    for options in ([], ["--clips", str(tmp_path / "clips")]):
        result = run(ready, video, "--json", *options)
        answer = json.loads(result.stdout)
        jsonschema.validate(answer, SCHEMA)
        assert [caption["text"] for caption in answer["captions"]] == TEXTS
        # The scripted stages are over at once; this command's own runs to the end.
        assert answer["bounding_stage"] == ("write" if options else "encode")
        assert ("clips" in answer) == bool(options)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**answer, "more": 1}, SCHEMA)
    assert [file["name"] for file in answer["clips"]["files"]] == [
        "clip-000000.webm",
        "clip-000001.webm",
    ]
    assert answer["stages"][-1]["name"] == "write"


def test_clips_are_in_their_folder(ready: Loopback, video: str, tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    result = run(ready, video, "--clips", str(folder))
    assert result.exit_code == 0, result.stderr
    assert f"2 clips of 99 frames in {folder}" in result.stdout
    assert [(folder / f"clip-00000{i}.webm").read_bytes() for i in (0, 1)] == CLIPS
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["video"], manifest["num_frames"]) == (video, 99)


def test_clips_are_in_their_bucket(ready: Loopback, video: str, monkeypatch) -> None:
    import boto3

    with s3_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="clips")
        result = run(ready, video, "--clips", "s3://clips/a")
        assert result.exit_code == 0, result.stderr
        found = client.list_objects_v2(Bucket="clips")["Contents"]
        names = ["clip-000000.webm", "clip-000001.webm", "manifest.json"]
        assert [item["Key"] for item in found] == [f"a/{name}" for name in names]
        result = run(ready, video, "--clips", "s3://nowhere/a")
        assert result.exit_code == 1
        assert result.stderr == (
            "trireel: the clips cannot be written to s3://nowhere/a: there is no such bucket\n"
        )
        client.close()


def test_a_failure_leaves_no_clips(ready: Loopback, video: str, tmp_path: Path) -> None:
    ready.script.answers[MODEL] = lambda asked: broken_after_a_clip()
    result = run(ready, video, "--clips", str(tmp_path / "clips"), "--srt", str(tmp_path / "a.srt"))
    assert result.exit_code == 1
    assert result.stderr == "trireel: the server failed: the GPU is gone\n"
    assert sorted(os.listdir(tmp_path)) == ["sample.mp4"]


def test_a_place_with_clips_is_told_before_any_work(
    ready: Loopback, video: str, tmp_path: Path
) -> None:
    (tmp_path / "clip-000000.webm").write_bytes(b"mine")
    result = run(ready, video, "--clips", str(tmp_path))
    assert result.exit_code == 1
    assert "holds clips of an earlier video: give an empty or new folder" in result.stderr
    assert ready.script.asked == []
    assert (tmp_path / "clip-000000.webm").read_bytes() == b"mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_says_what_is_left(ready: Loopback, video: str, tmp_path: Path, number) -> None:
    def endless():
        yield captions_answer([0], [0])
        ready.script.go_on.wait(30.0)

    ready.script.answers[MODEL] = lambda asked: endless()
    folder = tmp_path / "clips"
    command = [sys.executable, "-m", "trireel_client", "captions", video, "--clips", str(folder)]
    with subprocess.Popen(
        [*command, "--url", ready.url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        preexec_fn=heed_ctrl_c,
    ) as program:
        assert program.stdout.readline().endswith("Hello there\n")
        while not (folder / "clip-000000.webm").exists():
            assert program.poll() is None
        program.send_signal(number)
        _, said = program.communicate(timeout=30)
    assert program.returncode == 130
    assert said == f"trireel: stopped; no clip is left in {folder}\n"
    assert sorted(os.listdir(tmp_path)) == ["sample.mp4"]
    assert ready.script.cancelled.wait(5.0)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--crop", "0,0,1"], "'0,0,1' is not four numbers"),
        (["--crop", "0,0,1,1", "--find-region"], "got a region and --find-region"),
        (["--clip-codec", "av1"], "is for clips: add --clips"),
        (["--srt", "no/such/folder/a.srt"], "there is no folder 'no/such/folder'"),
        (["--clip-crf", "64", "--clips", "c"], "Input should be less than or equal to 63"),
    ],
)
def test_options_that_cannot_be_are_rejected(ready, video, options, reason) -> None:
    result = run(ready, video, *options)
    assert result.exit_code == 2
    assert reason in " ".join(result.stderr.replace("│", " ").split())
    assert ready.script.asked == []


def test_errors_name_the_commands_options(ready: Loopback, video: str) -> None:
    refusal = Refused("INVALID_ARGUMENT", 400, "SAMPLE_FPS is 1000: give 0 to 240, or CLIP_CRF")
    ready.script.refusals.append(refusal)
    result = run(ready, video, "--fps", "1000")
    assert result.exit_code == 1
    assert result.stderr == "trireel: --fps is 1000: give 0 to 240, or --clip-crf\n"
