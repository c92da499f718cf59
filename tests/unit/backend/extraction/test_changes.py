# SPDX-License-Identifier: Apache-2.0
"""Frames around changes: probes, and every frame between two probes that differ."""

from itertools import pairwise

import numpy as np
import pytest
from support.decoding import count_decoded
from support.extraction import look
from support.videos import keyframe_seconds, write_video

from trireel_backend.extraction import changes, runs
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.reading import gaps
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions, SecondView
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling, Selection

ROUGH = View(48, 27, is_rough=True)
CHANGES = SecondView(ROUGH, max_frames=1000, selection=Selection.CHANGES)
EVERY = SecondView(ROUGH, max_frames=1000, selection=Selection.EVERY)
EIGHT = Sampling(8)
FRAMES, CUTS = 250, (67, 143, 201)
X264 = "scenecut=0:keyint=250:min-keyint=250:bframes=3:b-pyramid=normal"
FORMATS = {
    "long.mp4": {"x264-params": X264},
    "short.mkv": {"x264-params": X264.replace("250", "20")},
    "open.ts": {"x264-params": X264.replace("250", "25") + ":open-gop=1"},
}


def shots():
    """Draw 10 s of a moving bar, whose background changes at the cuts."""
    rng, frames = np.random.default_rng(5), []
    blocks = rng.integers(20, 200, (len(CUTS) + 1, 12, 16, 3), np.uint8)
    places = blocks.repeat(8, axis=1).repeat(8, axis=2)
    for number in range(FRAMES):
        frame = places[sum(number >= cut for cut in CUTS)].copy()
        frame[:, number % 120 : number % 120 + 8] += 24
        frames.append(frame)
    return frames


@pytest.fixture(scope="module", params=FORMATS)
def video(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("changes") / request.param
    return write_video(path, shots(), options=FORMATS[request.param], gop=None)


def sample(path, *second_views, sampling=EIGHT):
    """Sample two chunks of 5 s."""
    extractor = Extractor(ExtractorOptions())
    start_seconds = look(path).start_seconds
    starts_seconds = (start_seconds, start_seconds + 5.0)
    view = View.square(24)
    task = ExtractionTask(
        path, 5.0, sampling, view, starts_seconds, keep_open=False, second_views=second_views
    )
    return extractor.run(task)


def numbers(extracted, frames):
    return np.round((frames.timestamps_seconds - extracted.info.start_seconds) * 25).astype(int)


def test_frames_of_gaps_are_those_of_a_full_decode(video):
    extracted, whole = sample(video, CHANGES), sample(video, EVERY)
    pictures = [p for (frames,) in whole.second_frames for p in frames.pixels]
    seen = []
    for (frames,) in extracted.second_frames:
        seen += numbers(extracted, frames).tolist()
        for number, pixels in zip(numbers(extracted, frames), frames.pixels, strict=True):
            np.testing.assert_array_equal(pixels, pictures[number])
    assert seen == sorted(set(seen))
    assert seen[0] == 0
    assert seen[-1] == FRAMES - 1
    for cut in CUTS:
        assert {cut - 1, cut} <= set(seen)


def test_a_gap_has_all_its_frames_and_no_other_has_any(video):
    extracted = sample(video, CHANGES)
    for (frames,) in extracted.second_frames:
        shown = numbers(extracted, frames)
        steps = np.diff(shown)
        assert steps.max() <= 0.65 * 25 + 1
        differ = [changes.is_change(a, b) for a, b in pairwise(frames.pixels)]
        assert set(steps[differ]) <= {1}
        assert len(shown) < 125  # not every frame


def test_the_towers_frames_stay_as_they_are(video):
    own = sample(video)
    for view in (CHANGES, EVERY):
        extracted = sample(video, view)
        for frames, expected in zip(extracted.frames, own.frames, strict=True):
            np.testing.assert_array_equal(frames.pixels, expected.pixels)
            np.testing.assert_array_equal(frames.pts, expected.pts)


def test_it_does_not_matter_how_a_frame_came(video, monkeypatch):
    """Without kept frames, each gap is decoded again."""
    kept = sample(video, CHANGES)
    monkeypatch.setattr(gaps, "MOST_KEPT_BYTES", 0)
    again = sample(video, CHANGES)
    for (one,), (other,) in zip(kept.second_frames, again.second_frames, strict=True):
        np.testing.assert_array_equal(one.pixels, other.pixels)
        np.testing.assert_array_equal(one.pts, other.pts)


def test_a_hinted_cut_is_decoded_once(tmp_path, monkeypatch):
    path = write_video(tmp_path / "long.mp4", shots(), options=FORMATS["long.mp4"], gop=None)
    decoded = count_decoded(monkeypatch)
    sample(path, CHANGES)
    pts = [packet.pts for packet in decoded]
    assert len(pts) == len(set(pts))


def test_a_view_that_is_full_takes_no_further_gap(video):
    few = SecondView(ROUGH, max_frames=24, selection=Selection.CHANGES)
    extracted = sample(video, few)
    for (frames,) in extracted.second_frames:
        assert len(frames.pts) <= 24
        assert np.diff(numbers(extracted, frames)).max() > 1


def test_only_keyframes_are_seen_if_only_they_are_decoded(video):
    extracted = sample(video, CHANGES, sampling=Sampling(8, keyframes_only=True))
    known = keyframe_seconds(video)
    for (frames,) in extracted.second_frames:
        assert len(frames.pts)
        assert set(np.round(frames.timestamps_seconds, 6)) <= set(np.round(known, 6))


@pytest.mark.parametrize("seconds", [0.04, 0.5, 2.0, 10.0, 61.3])
@pytest.mark.parametrize("sampling", [Sampling(16), Sampling(1), Sampling(fps=7.0)])
def test_probes_are_close_and_use_the_towers_times(seconds, sampling):
    chunk = Chunk(0, 3.0, seconds)
    probes = changes.probes_seconds(chunk, sampling, 500)
    assert probes[0] == pytest.approx(3.0)
    assert probes[-1] == pytest.approx(3.0 + seconds)
    assert all(b - a <= changes.PROBE_SECONDS + 1e-6 for a, b in pairwise(probes))
    if len(sampling.slot_middles(chunk)) >= seconds / 0.65:
        middles = set(sampling.slot_middles(chunk).tolist())
        assert set(probes[1:-1]) <= middles
    assert runs.frame_bounds(chunk)[1] > probes[-1]


def test_a_long_chunk_has_fewer_probes():
    assert len(changes.probes_seconds(Chunk(0, 0.0, 3600.0), Sampling(16), 100)) == 102
