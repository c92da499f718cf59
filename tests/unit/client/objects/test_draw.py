# SPDX-License-Identifier: Apache-2.0
"""A drawn video: boxes on the right frames, times as they were, an upright picture, whole files."""

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from support.odd_files import ffmpeg
from support.videos import write_video
from unit.client.objects.made import analysis_with, scripted_analysis

from trireel_client import (
    InvalidRequest,
    SourceNotFound,
    UnreadableSource,
    Unsupported,
    draw_objects,
)
from trireel_client._objects.draw import rising

# A variable frame rate: frames of 40 ms, 100 ms and 500 ms.
PTS_MS = (0, 40, 80, 180, 680, 720, 820)
SIZE_PX = (160, 120)
LEFT_HALF, RIGHT_HALF = (0.05, 0.3, 0.45, 0.95), (0.55, 0.3, 0.95, 0.95)


def grey(size_px: tuple[int, int] = SIZE_PX) -> NDArray[np.uint8]:
    return np.full((size_px[1], size_px[0], 3), 128, np.uint8)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "grey.mp4"
    return write_video(path, [grey()] * len(PTS_MS), PTS_MS)


def frames_of(path: Path) -> list[tuple[float, NDArray[np.uint8]]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return [
            (float(frame.pts * stream.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(stream)
        ]


def painted_columns(picture: NDArray[np.uint8]) -> list[int]:
    """Return the columns in whose lower half something is painted."""
    lower = picture[picture.shape[0] // 2 :].astype(int)
    is_painted = (np.ptp(lower, axis=2) > 40).mean(axis=0) > 0.5
    return [int(column) for column in np.flatnonzero(is_painted)]


def sides(picture: NDArray[np.uint8]) -> str:
    """Return on which half of a picture a box is painted."""
    width_px = picture.shape[1]
    columns = painted_columns(picture)
    halves = {"left" if column < width_px / 2 else "right" for column in columns}
    return " ".join(sorted(halves))


def test_a_box_stays_until_the_next_frame_looked_at(video: Path, tmp_path: Path) -> None:
    boxes = {0.04: LEFT_HALF, 0.18: RIGHT_HALF, 0.72: None}
    draw_objects(analysis_with(boxes, SIZE_PX), video, tmp_path / "drawn.mp4")
    drawn = frames_of(tmp_path / "drawn.mp4")
    shown = [sides(picture) for _, picture in drawn]
    assert shown == ["", "left", "left", "right", "right", "", ""]


def test_a_box_is_painted_at_its_place(video: Path, tmp_path: Path) -> None:
    draw_objects(analysis_with({0.0: LEFT_HALF}, SIZE_PX), video, tmp_path / "drawn.mp4")
    columns = painted_columns(frames_of(tmp_path / "drawn.mp4")[0][1])
    assert abs(min(columns) - 0.05 * SIZE_PX[0]) <= 2
    assert abs(max(columns) - 0.45 * SIZE_PX[0]) <= 2


def test_times_are_those_of_the_video(video: Path, tmp_path: Path) -> None:
    draw_objects(analysis_with({0.0: LEFT_HALF}, SIZE_PX), video, tmp_path / "drawn.mp4")
    times_ms = [round(time * 1000) for time, _ in frames_of(tmp_path / "drawn.mp4")]
    assert times_ms == list(PTS_MS)


def test_times_count_from_the_first_frame(video: Path, tmp_path: Path) -> None:
    stream = tmp_path / "late.ts"
    ffmpeg("-i", video, "-c", "copy", "-output_ts_offset", "100", stream)
    first_seconds = frames_of(stream)[0][0]
    assert first_seconds > 90
    boxes = {first_seconds: LEFT_HALF, first_seconds + 0.18: None}
    draw_objects(analysis_with(boxes, SIZE_PX), stream, tmp_path / "drawn.mp4")
    drawn = frames_of(tmp_path / "drawn.mp4")
    assert [round(time * 1000) for time, _ in drawn] == list(PTS_MS)
    assert [sides(picture) for _, picture in drawn] == ["left"] * 3 + [""] * 4


@pytest.mark.parametrize(("degrees", "corner"), [(90, "bottom left"), (270, "top right")])
def test_the_picture_is_upright(tmp_path: Path, degrees: int, corner: str) -> None:
    white_corner = grey()
    white_corner[:40, :40] = 255
    turned = tmp_path / "turned.mp4"
    plain = write_video(tmp_path / "plain.mp4", [white_corner] * 2)
    ffmpeg("-display_rotation", str(degrees), "-i", plain, "-c", "copy", turned)
    draw_objects(analysis_with({0.0: None}, (120, 160)), turned, tmp_path / "drawn.mp4")
    _, picture = frames_of(tmp_path / "drawn.mp4")[0]
    assert picture.shape == (160, 120, 3)
    parts = {"top left": picture[:40, :40], "bottom left": picture[-40:, :40]}
    parts |= {"top right": picture[:40, -40:], "bottom right": picture[-40:, -40:]}
    assert max(parts, key=lambda name: parts[name].mean()) == corner


def test_pixels_become_square(video: Path, tmp_path: Path) -> None:
    wide = tmp_path / "wide.mkv"
    ffmpeg("-i", video, "-c", "copy", "-aspect", "8:3", wide)
    draw_objects(analysis_with({0.0: LEFT_HALF}, (320, 120)), wide, tmp_path / "drawn.mp4")
    _, picture = frames_of(tmp_path / "drawn.mp4")[0]
    assert picture.shape == (120, 320, 3)
    assert abs(max(painted_columns(picture)) - 0.45 * 320) <= 3


def test_odd_sides_have_one_more_pixel(tmp_path: Path) -> None:
    video = write_video(tmp_path / "odd.mkv", [grey((101, 77))] * 2, pixel_format="yuv444p")
    draw_objects(analysis_with({0.0: LEFT_HALF}, (101, 77)), video, tmp_path / "drawn.mp4")
    assert frames_of(tmp_path / "drawn.mp4")[0][1].shape == (78, 102, 3)


def test_a_file_that_was_cut_off_is_drawn_to_its_end(video: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.mkv"
    write_video(whole, [np.roll(noise(), index, axis=0) for index in range(30)])
    short = tmp_path / "short.mkv"
    short.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    draw_objects(analysis_with({0.0: LEFT_HALF}, SIZE_PX), short, tmp_path / "drawn.mp4")
    assert 5 < len(frames_of(tmp_path / "drawn.mp4")) < 25


def noise() -> NDArray[np.uint8]:
    return np.random.default_rng(1).integers(0, 255, grey().shape, np.uint8)


@pytest.fixture
def small_disk() -> Iterator[None]:
    """Let no file of this process become larger than 4 KiB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_older_file(tmp_path: Path, request) -> None:
    video = write_video(tmp_path / "noise.mp4", [noise()] * 10)
    output = tmp_path / "drawn.mp4"
    output.write_bytes(b"older")
    request.getfixturevalue("small_disk")
    with pytest.raises(OSError, match="File too large"):
        draw_objects(analysis_with({0.0: LEFT_HALF}, SIZE_PX), video, output)
    assert output.read_bytes() == b"older"
    assert sorted(os.listdir(tmp_path)) == ["drawn.mp4", "noise.mp4"]


def test_files_that_cannot_be_drawn(video: Path, tmp_path: Path) -> None:
    analysis = analysis_with({0.0: LEFT_HALF}, SIZE_PX)
    text = tmp_path / "text.mp4"
    text.write_text("I am not a video.")
    drawn = tmp_path / "drawn.mp4"
    with pytest.raises(UnreadableSource, match=r"text.mp4' cannot be read: Invalid data"):
        draw_objects(analysis, text, drawn)
    with pytest.raises(SourceNotFound, match="no file 'none' on this machine"):
        draw_objects(analysis, "none", drawn)
    with pytest.raises(UnreadableSource, match="has no video stream 3"):
        draw_objects(replace(analysis, stream_index=3), video, drawn)
    assert os.listdir(tmp_path) == ["text.mp4"]


def test_outputs_that_cannot_be_meant(video: Path, tmp_path: Path) -> None:
    analysis = analysis_with({0.0: LEFT_HALF}, SIZE_PX)
    with pytest.raises(InvalidRequest, match=r"give one in \.mp4"):
        draw_objects(analysis, video, tmp_path / "drawn.avi")
    with pytest.raises(InvalidRequest, match="is the video itself"):
        draw_objects(analysis, video, video)


def test_an_analysis_that_cannot_be_drawn(video: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn.mp4"
    with pytest.raises(InvalidRequest, match="add 'objects' to find"):
        draw_objects(replace(scripted_analysis(), objects=None), video, drawn)
    with pytest.raises(Unsupported, match="does not report the size"):
        draw_objects(replace(scripted_analysis(), picture_size_px=None), video, drawn)


def timed(*pts: int) -> list[av.VideoFrame]:
    frames = [av.VideoFrame(16, 16) for _ in pts]
    for frame, value in zip(frames, pts, strict=True):
        frame.pts = value
    return frames


@pytest.mark.parametrize("pts", [(0, 40, 30, 80), (0, 40, 40, 80)])
def test_single_frames_that_step_back_are_left_out(pts: tuple[int, ...]) -> None:
    kept = rising(timed(*pts), Fraction(1, 1000), Path("a.mp4"))
    assert [value for _, value in kept] == [0, 40, 80]


def test_times_that_begin_again_are_a_sentence(video: Path, tmp_path: Path) -> None:
    part = tmp_path / "part.ts"
    ffmpeg("-stream_loop", "4", "-i", video, "-c", "copy", "-output_ts_offset", "100", part)
    twice = tmp_path / "twice.ts"
    twice.write_bytes(part.read_bytes() * 2)
    with pytest.raises(UnreadableSource, match=r"begin again after 10\d\.\d\d s"):
        draw_objects(analysis_with({0.0: None}, (16, 16)), twice, tmp_path / "drawn.mp4")
    assert sorted(os.listdir(tmp_path)) == ["part.ts", "twice.ts"]
