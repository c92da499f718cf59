# SPDX-License-Identifier: Apache-2.0
"""Clips in a folder: whole under their names, or not there at all."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.signals import heed_ctrl_c
from unit.client.clips.made import made_clip, made_report, write_and_fail

from trireel_client import ClipsNotWritten, UnexpectedAnswer, open_clips

# Writes clips until the system refuses more than 64 KiB for one file, or until Ctrl-C.
PROGRAM = """
import resource, sys, time
from unit.client.clips.made import made_clip
from trireel_client import ClipsNotWritten, open_clips
folder, how = sys.argv[1:]
try:
    with open_clips(folder) as writer:
        for index in range(3):
            writer.add(made_clip(index))
        if how == "wait":
            print("written", flush=True)
            time.sleep(60)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16))
        writer.add(made_clip(3, 2**20))
except ClipsNotWritten as error:
    print(error, flush=True)
except KeyboardInterrupt:
    print("stopped", flush=True)
"""


def run_program(folder: Path, how: str) -> "subprocess.Popen[str]":
    root = Path(__file__).parents[4]
    path = os.pathsep.join([str(root / name) for name in ("tests", "client", "schema")])
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder), how],
        env={**os.environ, "PYTHONPATH": path},
        preexec_fn=heed_ctrl_c,
        stdout=subprocess.PIPE,
        text=True,
    )


def write(folder: Path, count: int = 3) -> None:
    with open_clips(folder) as writer:
        for index in reversed(range(count)):
            writer.add(made_clip(index))
        writer.finish(made_report(count), "a.mp4")


def test_the_manifest_names_every_clip(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    write(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    names = [f"clip-{index:06d}.webm" for index in range(3)]
    assert sorted(os.listdir(folder)) == [*names, "manifest.json"]
    assert [clip["name"] for clip in manifest["clips"]] == names
    for index, clip in enumerate(manifest["clips"]):
        content = (folder / clip["name"]).read_bytes()
        assert content == made_clip(index).data
        assert clip["sha256"] == hashlib.sha256(content).hexdigest()
        assert clip["size_bytes"] == len(content)
        assert (clip["start_seconds"], clip["num_frames"]) == (5.0 * index, 50)
    assert (manifest["video"], manifest["num_frames"]) == ("a.mp4", 150)
    assert (manifest["time_base"], manifest["schema_version"]) == ([1, 12_800], 1)


def test_a_video_without_clips_has_a_manifest_too(tmp_path: Path) -> None:
    write(tmp_path / "clips", 0)
    assert os.listdir(tmp_path / "clips") == ["manifest.json"]


def test_an_error_in_between_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="the server is gone"):
        write_and_fail(tmp_path / "clips", RuntimeError("the server is gone"))
    assert os.listdir(tmp_path) == []


def test_without_finish_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with open_clips(tmp_path) as writer:
        writer.add(made_clip(0))
        assert "clip-000000.webm" in os.listdir(tmp_path)
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_clips_of_an_earlier_video_are_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "clips")
    with (
        pytest.raises(ClipsNotWritten, match=r"holds clips of an earlier video: give an empty"),
        open_clips(tmp_path / "clips"),
    ):
        pass
    assert len(os.listdir(tmp_path / "clips")) == 4


def test_a_clip_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with open_clips(tmp_path / "clips") as writer:
        writer.add(made_clip(1))
        with pytest.raises(UnexpectedAnswer, match="1 clips came, and the report counts 2"):
            writer.finish(made_report(2), "a.mp4")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["file", "file/clips", "none/clips"])
def test_a_place_that_is_no_folder_is_told_before_any_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("not a folder")
    with (
        pytest.raises(ClipsNotWritten, match=r"give another (folder|place)"),
        open_clips(tmp_path / name),
    ):
        pass
    assert os.listdir(tmp_path) == ["file"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    program = run_program(tmp_path / "clips", "fill")
    said, _ = program.communicate(timeout=60)
    assert "cannot be written to" in said
    assert "File too large; make room there, or give another place" in said
    assert os.listdir(tmp_path) == []


def test_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    program = run_program(tmp_path / "clips", "wait")
    assert program.stdout is not None
    assert program.stdout.readline() == "written\n"
    assert len(os.listdir(tmp_path / "clips")) == 3
    program.send_signal(signal.SIGINT)
    said, _ = program.communicate(timeout=60)
    assert said == "stopped\n"
    assert os.listdir(tmp_path) == []


def test_what_cannot_be_removed_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "clips"
    with pytest.raises(ClipsNotWritten, match=r"it broke; some of 2 clips remain in"):
        spoil_and_fail(folder)


def spoil_and_fail(folder: Path) -> None:
    """Put a file of others beside the clips, so that the folder cannot be removed; then fail."""
    with open_clips(folder) as writer:
        writer.add(made_clip(0))
        writer.add(made_clip(1))
        (folder / "notes.txt").write_text("mine")
        raise RuntimeError("it broke")
