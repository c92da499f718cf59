# SPDX-License-Identifier: Apache-2.0
"""Every frame of a chunk in a second view, from the pass that samples the tower's frames."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest
from support.decoding import count_decoded
from support.videos import numbered_frame, write_video

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions, SecondView
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling, Selection

EVERY = SecondView(View(48, 27), max_frames=1000, selection=Selection.EVERY)


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """10 s at 25 frames a second, B-frames and a keyframe every 2 s."""
    path = tmp_path_factory.mktemp("every") / "numbered.mp4"
    frames = [numbered_frame(number, 96, 64) for number in range(250)]
    return write_video(path, frames, gop=50, options={"bf": "3", "preset": "fast"})


def task_of(path, view=EVERY):
    starts_seconds = (0.0, 5.0)
    return ExtractionTask(
        path, 5.0, Sampling(8), View.square(48), starts_seconds, second_views=(view,)
    )


@pytest.mark.parametrize("isolated", [False, True])
def test_every_frame_is_that_of_the_ffmpeg_command(video, isolated):
    options = ExtractorOptions()
    extractor = IsolatedExtractor(options, 2**20, 2**22) if isolated else Extractor(options)
    try:
        extracted = extractor.run(task_of(video))
    finally:
        if isolated:
            extractor.close()
    views = [frames for (frames,) in extracted.second_frames]
    times = np.concatenate([frames.timestamps_seconds for frames in views])
    np.testing.assert_allclose(times, np.arange(250) / 25)
    pixels = np.concatenate([frames.pixels for frames in views]).astype(int)
    difference = np.abs(pixels - ffmpeg_pictures(video, 48, 27))
    assert difference.max() <= 6  # the command is of another release than the library
    assert difference.mean() < 0.05


def ffmpeg_pictures(path, width_px, height_px):
    """Return what the ffmpeg command makes of all frames of a video."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-i", str(path)]
    command += ["-vf", f"scale={width_px}:{height_px}", "-fps_mode", "passthrough"]
    command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    return np.frombuffer(done.stdout, np.uint8).reshape(-1, height_px, width_px, 3).astype(int)


def test_one_pass_decodes_each_packet_once(video, monkeypatch):
    decoded = count_decoded(monkeypatch)
    Extractor(ExtractorOptions()).run(task_of(video))
    assert len(decoded) == 250
    assert len({packet.pts for packet in decoded}) == 250


def test_more_frames_than_a_view_allows_are_rejected(video):
    few = SecondView(View(48, 27), max_frames=100, selection=Selection.EVERY)
    with pytest.raises(InvalidInput, match="a chunk has more than 100 frames"):
        Extractor(ExtractorOptions()).run(task_of(video, few))
