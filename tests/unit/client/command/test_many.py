# SPDX-License-Identifier: Apache-2.0
"""Several videos in one call of `trireel analyze`, and a video on standard input."""

import csv
import io
import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scripted import INVALID, NOT_FOUND, Asked, whole_video

from trireel_client._command.cli import app
from trireel_client._command.videos import listed


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    """A server that knows all videos but those whose bytes are `unknown`."""

    def answer(asked: Asked):
        if asked.inputs["VIDEO_DATA"][0] == b"unknown":
            raise INVALID
        return whole_video()

    server.script.answers["video_analysis"] = answer
    return server


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with three videos, and with files that are none."""
    for name in ("b.mp4", "a.MKV", "deep/er/c ü.mov", "notes.txt", ".hidden.mp4", ".trash/d.mp4"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"unknown" if name == "b.mp4" else b"moving pictures")
    (tmp_path / "loop").symlink_to(tmp_path)
    return tmp_path


def run(server: Loopback, *arguments: str, stdin: bytes | None = None):
    options = ["--url", server.url, "--protocol", server.protocol]
    return CliRunner().invoke(app, ["analyze", *arguments, *options], input=stdin)


def test_a_line_for_each_video_in_order(ready: Loopback, folder: Path) -> None:
    result = run(ready, str(folder / "deep/er/c ü.mov"), str(folder / "a.MKV"))
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()
    end = "30.00 s, 2 cuts, kitchen, beach  “A person cooking”"
    assert first == f"{folder}/deep/er/c ü.mov  {end}"
    assert second == f"{folder}/a.MKV  {end}"
    assert result.stderr == ""


def test_a_folder_as_lines_of_json(ready: Loopback, folder: Path) -> None:
    output = folder / "answers.ndjson"
    result = run(ready, str(folder), "-r", "--json", "--output", str(output))
    assert result.exit_code == 1
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["video"] for answer in answers] == [
        str(folder / name) for name in ("a.MKV", "b.mp4", "deep/er/c ü.mov")
    ]
    assert [answer.get("num_chunks") for answer in answers] == [3, None, 3]
    assert "--top-k is 0" in answers[1]["error"]
    assert output.read_text() == result.stdout
    failed, summary = result.stderr.splitlines()
    assert failed.startswith(f"trireel: {folder}/b.mp4: ")
    assert summary == "trireel: 1 of 3 videos were not analysed"


def test_a_folder_as_csv(ready: Loopback, folder: Path) -> None:
    result = run(ready, str(folder), "--recursive", "--csv")
    assert result.exit_code == 1
    first, failed, _ = csv.DictReader(io.StringIO(result.stdout))
    assert first["video"] == f"{folder}/a.MKV"
    assert float(first["duration_seconds"]) == 30.0
    assert first["tags"] == "kitchen; beach"
    assert (first["num_scene_changes"], first["error"]) == ("2", "")
    assert "--top-k is 0" in failed["error"]
    assert failed["tags"] == ""


def test_one_video_as_csv(ready: Loopback, video: str) -> None:
    result = run(ready, video, "--csv")
    assert result.exit_code == 0, result.stderr
    (row,) = csv.DictReader(io.StringIO(result.stdout))
    assert row["caption"] == "A person cooking"


def test_a_missing_file_does_not_end_the_run(ready: Loopback, video: str) -> None:
    result = run(ready, "no.mp4", video)
    assert result.exit_code == 1
    assert result.stdout.startswith(video)
    assert "there is no file 'no.mp4'" in result.stderr


def test_a_lost_server_ends_the_run(video: str) -> None:
    where = ["--url", "127.0.0.1:1", "--timeout", "0.5"]
    result = CliRunner().invoke(app, ["analyze", video, video, video, *where])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "3 of 3 videos were not analysed" in result.stderr
    assert result.stderr.count("\n") == 1


def test_standard_input_is_a_video(ready: Loopback) -> None:
    result = run(ready, "-", "--json", stdin=b"moving pictures")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["num_chunks"] == 3
    assert ready.script.asked[0].inputs["VIDEO_DATA"][0] == b"moving pictures"


def test_an_empty_standard_input(ready: Loopback) -> None:
    result = run(ready, "-", stdin=b"")
    assert result.exit_code == 1
    assert result.stderr == "trireel: standard input is empty: give a video\n"
    assert not ready.script.asked


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing argument"),
        (["a.mp4", "b.mp4", "--stream"], "is for one video"),
        (["a.mp4", "b.mp4", "--export", "a.vtt"], "is for one video"),
        (["a.mp4", "--json", "--csv"], "got both of --json and --csv"),
        (["-", "-"], "got - more than once"),
        (["clips", "-r", "--server-path"], "lists folders of this machine"),
        ([os.curdir], "add --recursive"),
    ],
)
def test_what_cannot_be_meant(arguments: list[str], message: str) -> None:
    result = CliRunner().invoke(app, ["analyze", *arguments])
    assert result.exit_code == 2
    words = " ".join(word for word in result.stderr.split() if word != "│")
    assert message in words


def test_a_folder_without_videos(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("none")
    result = CliRunner().invoke(app, ["analyze", "-r", str(tmp_path)])
    assert result.exit_code == 2
    assert "there are no videos in" in result.stderr


def test_paths_of_the_server_are_not_looked_for() -> None:
    assert listed(["a", "b/"], recursive=False, server_path=True) == ["a", "b/"]


def test_escapes_of_others_do_not_reach_the_terminal(server: Loopback, tmp_path: Path) -> None:
    names = [tmp_path / "a\x1b[2J.mp4", tmp_path / "b\n.mp4"]
    for name in names:
        name.write_bytes(b"x")
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.refusals = [NOT_FOUND]
    result = run(server, *map(str, names))
    assert "\x1b" not in result.stdout + result.stderr
    assert "b?.mp4  30.00 s" in result.stdout
