# SPDX-License-Identifier: Apache-2.0
"""The objects of `trireel analyze`: options, tables, lines, CSV, and files."""

import csv
import json
import os
from pathlib import Path

import av
import numpy as np
import pytest
from support.videos import write_video
from typer.testing import CliRunner
from unit.client.detected import chunked, with_objects, without_objects
from unit.client.loopback import Loopback
from unit.client.scripted import Refused

from trireel_client._command.cli import app

pytestmark = pytest.mark.usefixtures("plain_wide_terminal")
FIND = ("--find", "objects")


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    """A server that knows one video."""
    server.script.answers["video_analysis"] = lambda asked: with_objects()
    return server


def run(server: Loopback, *arguments: str):
    options = ["--url", server.url, "--protocol", server.protocol]
    return CliRunner().invoke(app, ["analyze", *arguments, *options])


def lines_of(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_options_of_objects_reach_the_server(ready: Loopback, video: str) -> None:
    options = ("--objects-mode", "chunked", "--labels", "person, traffic light")
    numbers = ("--objects-fps", "4", "--objects-threshold", "0.25")
    result = run(ready, video, *FIND, *options, *numbers, "--json")
    assert result.exit_code == 0, result.stderr
    (asked,) = ready.script.asked_of("video_analysis")
    assert list(asked.inputs["OBJECTS"]) == [b"chunked"]
    assert list(asked.inputs["OBJECTS_LABELS"]) == [b"person", b"traffic light"]
    assert asked.inputs["OBJECTS_FPS"].tolist() == [4.0]
    assert asked.inputs["OBJECTS_THRESHOLD"].tolist() == [0.25]
    assert len(json.loads(result.stdout)["objects"]["tracks"]) == 2


def test_labels_and_tracks_are_tables(ready: Loopback, video: str) -> None:
    lines = lines_of(run(ready, video, *FIND).stdout)
    assert "on screen seconds" in lines
    assert "person 5.00-15.00, 20.50-20.50" in lines
    assert "track label seconds best score best at" in lines
    assert "7 person 5.00-20.50 95% 20.50 s" in lines


def test_chunked_objects_have_no_table_of_tracks(ready: Loopback, video: str) -> None:
    ready.script.answers["video_analysis"] = lambda asked: chunked(with_objects())
    lines = lines_of(run(ready, video, *FIND).stdout)
    assert "ball 15.00-15.00" in lines
    assert not any(line.startswith("track ") for line in lines)


def test_a_video_without_objects_says_so(ready: Loopback, video: str) -> None:
    ready.script.answers["video_analysis"] = lambda asked: without_objects(with_objects())
    assert "no objects on any frame" in run(ready, video, *FIND).stdout


def test_more_tracks_than_a_screen_holds(ready: Loopback, video: str) -> None:
    many = {
        name: np.repeat(tensor[1:], 40, axis=0)
        for name, tensor in with_objects().items()
        if name.startswith("TRACK_")
    }
    answer = {**with_objects(), **many, "TRACK_IDS": np.arange(1, 41)}
    ready.script.answers["video_analysis"] = lambda asked: answer
    result = run(ready, video, *FIND)
    assert "10 more tracks are in the JSON" in result.stdout
    assert not any(line.startswith("31 person") for line in lines_of(result.stdout))


def test_several_videos_have_lines_and_rows(ready: Loopback, video: str) -> None:
    result = run(ready, video, video, *FIND)
    assert all("person, ball" in line for line in result.stdout.splitlines())
    (row,) = csv.DictReader(run(ready, video, *FIND, "--csv").stdout.splitlines())
    assert (row["num_tracks"], row["labels"]) == ("2", "ball; person")
    ready.script.answers["video_analysis"] = lambda asked: without_objects(with_objects())
    assert "no objects" in run(ready, video, video, *FIND).stdout


def test_a_drawn_video_and_a_data_set(ready: Loopback, tmp_path: Path) -> None:
    video = write_video(tmp_path / "a.mp4", [np.zeros((100, 200, 3), np.uint8)] * 3)
    drawn, coco = tmp_path / "drawn.mp4", tmp_path / "coco.json"
    result = run(ready, str(video), *FIND, "--draw", str(drawn), "--coco", str(coco))
    assert result.exit_code == 0, result.stderr
    assert json.loads(coco.read_text())["images"][0]["file_name"] == "a.mp4#t=5.000000"
    with av.open(str(drawn)) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3


@pytest.mark.parametrize(
    ("arguments", "option", "message"),
    [
        (["a.mp4", *FIND, "--draw", "b.avi"], "--draw", "give one in .mp4"),
        (["a.mp4", *FIND, "--draw", "a.mp4"], "--draw", "is the video itself"),
        (["a.mp4", *FIND, "--draw", "none/b.mp4"], "--draw", "there is no folder 'none'"),
        (["s3://a/a.mp4", *FIND, "--draw", "b.mp4"], "--draw", "a file of this machine"),
        (["a.mp4", *FIND, "--server-path", "--draw", "b.mp4"], "--draw", "of this machine"),
        (["a.mp4", "--draw", "b.mp4"], "--find", "add --find objects"),
        (["a.mp4", "--find", "tags", "--coco", "b.json"], "--find", "add --find objects"),
        (["a.mp4", *FIND, "--coco", "none/b.json"], "--coco", "there is no folder 'none'"),
        (["a.mp4", "a.mp4", *FIND, "--coco", "b.json"], "--coco", "is for one video"),
        (["a.mp4", "a.mp4", *FIND, "--draw", "b.mp4"], "--draw", "is for one video"),
        (["a.mp4", *FIND, "--objects-mode", "all"], "--objects-mode", "'all' is not one of"),
    ],
)
def test_files_are_checked_before_the_request(
    ready: Loopback, tmp_path: Path, monkeypatch, arguments: list[str], option: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.mp4").touch()
    result = run(ready, *arguments)
    assert result.exit_code == 2
    assert option in result.stderr
    assert message in " ".join(result.stderr.replace("│", "").split())
    assert not ready.script.asked
    assert os.listdir(tmp_path) == ["a.mp4"]


def test_a_video_that_is_not_there_is_a_sentence(ready: Loopback, tmp_path: Path) -> None:
    result = run(ready, "none.mp4", *FIND, "--draw", str(tmp_path / "b.mp4"))
    assert result.exit_code == 1
    assert "there is no file 'none.mp4' on this machine" in result.stderr
    assert not ready.script.asked


def test_errors_name_the_options(ready: Loopback, video: str) -> None:
    message = "OBJECTS_LABELS holds 'dragon': the detector knows person, ball"
    ready.script.refusals.append(Refused("INVALID_ARGUMENT", 400, message))
    result = run(ready, video, *FIND, "--labels", "dragon")
    assert result.exit_code == 1
    assert "--labels holds 'dragon'" in result.stderr
    result = run(ready, video, *FIND, "--labels", " ")
    assert "--labels is empty" in result.stderr
