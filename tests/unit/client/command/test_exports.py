# SPDX-License-Identifier: Apache-2.0
"""The scenes of `trireel analyze`: options, table, exports and thumbnails."""

import json
import os
from pathlib import Path

import numpy as np
import opentimelineio as otio
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner
from unit.client.loopback import Loopback
from unit.client.scenes import with_scenes
from unit.client.scripted import Asked, Tensors, whole_video

from trireel_client._command.cli import app

pytestmark = pytest.mark.usefixtures("plain_wide_terminal")


@pytest.fixture
def ready(server: Loopback) -> Loopback:
    """A server that knows one video."""
    server.script.answers["video_analysis"] = lambda asked: with_scenes()
    server.script.answers["frame_extractor"] = frames_at_middles
    return server


def frames_at_middles(asked: Asked) -> Tensors:
    """Answer with a frame in the middle of each chunk: as bright as the second that it is of."""
    middles = asked.inputs["START_SECONDS"] + asked.inputs["CHUNK_SECONDS"] / 2
    side = int(asked.inputs["SIZE_PX"][0])
    frames = np.empty((len(middles), side, side, 3), np.uint8)
    frames[:] = (9 * np.floor(middles))[:, None, None, None]
    return {
        "FRAMES": frames,
        "TIMESTAMPS": middles,
        "CHUNK_NUM_FRAMES": np.ones(len(middles), np.int32),
        "PICTURE_SIZE_PX": np.array([1280, 720], np.int32),
    }


def picture_of(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image)


def run(server: Loopback, *arguments: str):
    options = ["--url", server.url, "--protocol", server.protocol]
    return CliRunner().invoke(app, ["analyze", *arguments, *options])


def test_options_of_scenes_reach_the_server(ready: Loopback, video: str) -> None:
    result = run(ready, video, "--scenes", "exact", "--min-scene", "0.5", "--scene-trace", "--json")
    assert result.exit_code == 0, result.stderr
    (asked,) = ready.script.asked_of("video_analysis")
    assert list(asked.inputs["SCENES"]) == [b"exact"]
    assert asked.inputs["SCENE_MIN_SECONDS"].tolist() == [0.5]
    assert asked.inputs["SCENE_WITH_TRACE"].tolist() == [True]
    assert json.loads(result.stdout)["shots"][2]["representative_seconds"] == 26.25


def test_scenes_are_a_table(ready: Loopback, video: str) -> None:
    lines = [" ".join(line.split()) for line in run(ready, video).stdout.splitlines()]
    assert "scene seconds begins with tags caption" in lines
    assert "1 0.00-13.75 beach, park a beach" in lines
    assert "2 13.75-23.75 dissolve kitchen, café a kitchen" in lines
    ready.script.answers["video_analysis"] = lambda asked: whole_video()
    assert "begins with" not in run(ready, video).stdout


def test_exports_beside_the_answer(ready: Loopback, video: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"a{suffix}" for suffix in (".vtt", ".otio", ".edl")]
    result = run(ready, video, *(text for path in paths for text in ("--export", str(path))))
    assert result.exit_code == 0, result.stderr
    assert paths[0].read_text().count(" --> ") == 3
    clips = list(otio.adapters.read_from_file(str(paths[1])).find_clips())
    assert [clip.name for clip in clips] == ["a beach", "a kitchen", "a gym"]
    assert clips[0].media_reference.target_url == Path(video).as_uri()
    assert "00:00:13:19 00:00:23:19" in paths[2].read_text()  # 13.75 s of 25 fps: half a frame up


def test_thumbnails_of_each_scene(ready: Loopback, video: str, tmp_path: Path) -> None:
    folder = tmp_path / "pictures"
    result = run(ready, video, "--thumbnails", str(folder))
    assert result.exit_code == 0, result.stderr
    names = sorted(path.name for path in folder.iterdir())
    assert names == ["scene-0001.jpg", "scene-0002.jpg", "scene-0003.jpg"]
    pictures = [picture_of(folder / name) for name in names]
    assert {picture.shape for picture in pictures} == {(288, 512, 3)}
    brightness = [picture[10, 10, 0] for picture in pictures]
    np.testing.assert_allclose(brightness, [54, 162, 234], atol=3)
    (asked,) = ready.script.asked_of("frame_extractor")
    assert asked.inputs["FRAMES_PER_CHUNK"].tolist() == [1]


def test_an_older_server_gives_its_own_frames(ready: Loopback, video: str, tmp_path: Path) -> None:
    def answer(asked: Asked) -> Tensors:
        assert "SIZE_PX" not in asked.inputs
        sized = {**asked.inputs, "SIZE_PX": np.array([96])}
        asked.inputs.update(sized)
        tensors = frames_at_middles(asked)
        del tensors["PICTURE_SIZE_PX"]
        return tensors

    ready.script.answers["video_analysis"] = lambda asked: whole_video()
    ready.script.answers["frame_extractor"] = answer
    result = run(ready, video, "--thumbnails", str(tmp_path))
    assert result.exit_code == 0, result.stderr
    assert picture_of(tmp_path / "scene-0003.jpg").shape == (96, 96, 3)


@pytest.mark.parametrize(
    ("arguments", "option", "message"),
    [
        (["--export", "a.mov"], "--export", "is no export: give a name in .vtt, .srt"),
        (["--export", "missing/a.vtt"], "--export", "there is no folder 'missing'"),
        (["--thumbnails", "missing/a"], "--thumbnails", "there is no folder 'missing'"),
        (["--thumbnails", "file"], "--thumbnails", "'file' is not a folder"),
        (["--export", "a.vtt", "--find", "tags"], "--find", "add --find scenes"),
        (["--scenes", "all"], "--scenes", "'all' is not one of"),
    ],
)
def test_files_are_checked_before_the_request(
    ready: Loopback, tmp_path: Path, monkeypatch, arguments: list[str], option: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    result = run(ready, "a.mp4", "--server-path", *arguments)
    assert result.exit_code == 2
    assert option in result.stderr
    assert message in " ".join(result.stderr.replace("│", "").split())
    assert not ready.script.asked
    assert os.listdir(tmp_path) == ["file"]


def test_a_failed_export_is_a_sentence_after_the_answer(
    ready: Loopback, video: str, tmp_path: Path
) -> None:
    ready.script.answers["video_analysis"] = lambda asked: whole_video()  # without a frame rate
    result = run(ready, video, "--json", "--export", str(tmp_path / "a.edl"))
    assert result.exit_code == 1
    assert json.loads(result.stdout)["num_chunks"] == 3
    assert "does not report the frame rate" in result.stderr
    assert not (tmp_path / "a.edl").exists()
