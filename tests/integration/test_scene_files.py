# SPDX-License-Identifier: Apache-2.0
"""Exports and thumbnails of real videos, by the real server."""

import json
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import opentimelineio as otio
import pytest
from PIL import Image
from support.videos import number_of, numbered_frame, write_video

from trireel_client import Shot, export_scenes

from .conftest import SAMPLE

TRIREEL = Path(sys.executable).parent / "trireel"
# Milliseconds of frames at 25 fps, at 60 fps, and at two rates in turn.
STEADY = [40 * i for i in range(120)]
FAST = [round(1000 * i / 60) for i in range(200)]
VARIABLE = [25 * i + 50 * (i // 5) for i in range(120)]


def pixels_of(path):
    with Image.open(path) as image:
        return np.asarray(image, np.float32)


def test_the_samples_scenes_as_files(server, truth, tmp_path):
    edl, timeline, folder = tmp_path / "a.edl", tmp_path / "a.otio", tmp_path / "pictures"
    files = ("--export", edl, "--export", timeline, "--thumbnails", folder)
    command = (TRIREEL, "analyze", SAMPLE, "--url", server.grpc_url, "--json", *files)
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["frame_rate"], answer["is_vfr"]) == ([25, 1], False)
    starts = [0.0, *(change["timestamp_seconds"] for change in answer["scene_changes"])]
    assert len(starts) == len(truth)
    for clips in (
        list(otio.adapters.read_from_file(str(edl), rate=25).find_clips()),
        list(otio.adapters.read_from_file(str(timeline)).find_clips()),
    ):
        assert [clip.source_range.start_time.to_seconds() for clip in clips] == starts
    names = sorted(path.name for path in folder.iterdir())
    assert names == [f"scene-{number:04d}.jpg" for number in range(1, len(truth) + 1)]
    with av.open(str(SAMPLE)) as container:
        frames = {frame.time: frame for frame in container.decode(video=0)}
    for name, segment in zip(names, truth, strict=True):
        picture = pixels_of(folder / name)
        height_px, width_px, _ = picture.shape
        assert (width_px, height_px) == (512, 288)
        inside = [t for t in frames if segment["start_seconds"] <= t < segment["end_seconds"]]
        likeness = [
            np.abs(np.asarray(frames[t].to_image().resize((512, 288))) - picture).mean()
            for t in inside[:: len(inside) // 12]
        ]
        assert min(likeness) < 12


@pytest.mark.parametrize(
    ("times_ms", "rate", "is_vfr"),
    [(STEADY, Fraction(25), False), (FAST, Fraction(60), False), (VARIABLE, None, True)],
)
def test_thumbnails_are_the_frames_of_their_times(client, tmp_path, times_ms, rate, is_vfr):
    frames = [numbered_frame(number) for number in range(len(times_ms))]
    video = write_video(tmp_path / "a.mkv", frames, times_ms)
    analysis = client.analyze(video, frames_per_chunk=4)
    assert (analysis.is_vfr, analysis.picture_size_px) == (is_vfr, (64, 48))
    assert rate in (None, analysis.frame_rate)
    numbers = [0, 1, 2, 50, 51, len(times_ms) - 2, len(times_ms) - 1]
    times = [times_ms[number] / 1000 for number in numbers]
    ends = [*times[1:], analysis.start_seconds + analysis.duration_seconds]
    shots = tuple(
        Shot(start_seconds=begin, end_seconds=end, representative_seconds=begin)
        for begin, end in zip(times, ends, strict=True)
    )
    cut = replace(analysis, shots=shots)
    thumbnails = client.thumbnails(video, cut)
    skipped = int(times_ms[1] < 20)  # the first frame of a fast video is in no chunk's middle
    assert [t.timestamp_seconds for t in thumbnails][skipped:] == times[skipped:]
    assert [number_of(t.pixels) for t in thumbnails][skipped:] == numbers[skipped:]
    export_scenes(cut, tmp_path / "a.otio", video=video)
    clips = list(otio.adapters.read_from_file(str(tmp_path / "a.otio")).find_clips())
    starts = [clip.source_range.start_time for clip in clips]
    if is_vfr:
        assert [start.value for start in starts] == [times_ms[number] for number in numbers]
    else:
        assert [start.value for start in starts] == numbers
