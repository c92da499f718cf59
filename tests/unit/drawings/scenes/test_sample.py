# SPDX-License-Identifier: Apache-2.0
"""The sample video: irregular cuts at the times that its truth states."""

import json
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from trireel_drawings.places.vocabulary import COOKING, TRAFFIC
from trireel_drawings.scenes.sample import (
    SAMPLE,
    SAMPLE_RATE,
    SAMPLE_SEED,
    Segment,
    cut_seconds,
    draw_frames,
    truth,
    write_video,
)
from trireel_drawings.scenes.scene import HELD_OUT_SEED
from trireel_drawings.training.evaluate import SAMPLING_SECONDS

CHUNK_SECONDS = 10
MEDIA = Path(__file__).parents[4] / "media"


def test_sample_has_irregular_cuts_and_a_chunk_in_one_place() -> None:
    times = cut_seconds(SAMPLE)
    assert len({segment.tag for segment in SAMPLE}) >= 5
    assert 30 <= times[-1] <= 60
    for cut in times[1:-1]:
        offset = float(cut) / SAMPLING_SECONDS % 1.0
        assert 0.08 < offset < 0.92  # no sampled frame near a cut
    chunks = [(start, start + CHUNK_SECONDS) for start in range(0, int(times[-1]), CHUNK_SECONDS)]
    assert any(all(not start < cut < end for cut in times) for start, end in chunks)


def test_sample_is_drawn_from_held_out_seeds() -> None:
    assert SAMPLE_SEED >= HELD_OUT_SEED
    assert all(segment.seed >= SAMPLE_SEED for segment in SAMPLE)


def test_sample_truth_is_that_of_the_plan() -> None:
    stored = json.loads((MEDIA / "sample.truth.json").read_text(encoding="utf-8"))
    assert stored == truth(SAMPLE)
    assert stored[0]["start_seconds"] == 0
    assert all(a["end_seconds"] == b["start_seconds"] for a, b in pairwise(stored))
    assert (MEDIA / "sample.mp4").stat().st_size <= 2_000_000


def test_frames_of_a_video_change_place_at_the_cut() -> None:
    plan = (Segment("kitchen", COOKING, 2, 1), Segment("city street", TRAFFIC, 3, 2))
    frames = list(draw_frames(plan, (64, 36), Fraction(10)))
    steps = [np.abs(a.astype(int) - b).mean() for a, b in pairwise(frames)]
    assert len(frames) == 5
    assert int(np.argmax(steps)) == 1


def test_written_video_has_the_planned_frames(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    plan = (Segment("kitchen", COOKING, 5, 1), Segment("city street", TRAFFIC, 4, 2))
    write_video(tmp_path / "short.mp4", plan, size_px=(64, 36))
    with av.open(str(tmp_path / "short.mp4")) as container:
        times = [frame.time for frame in container.decode(video=0)]
    assert times == pytest.approx([index / float(SAMPLE_RATE) for index in range(9)])
