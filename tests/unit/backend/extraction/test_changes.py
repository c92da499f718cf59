# SPDX-License-Identifier: Apache-2.0
"""Frames around changes: probes, and every frame between two probes that differ."""

from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from av.video.frame import PictureType
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


def sample(path, *second_views, sampling=EIGHT, numbers=(0, 1)):
    """Sample chunks of 5 s by their numbers."""
    extractor = Extractor(ExtractorOptions())
    start_seconds = look(path).start_seconds
    starts_seconds = tuple(start_seconds + 5.0 * number for number in numbers)
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


def test_the_largest_step_of_a_gap_is_between_neighbours(video):
    extracted = sample(video, CHANGES)
    for (frames,) in extracted.second_frames:
        shown = numbers(extracted, frames)
        steps = np.diff(shown)
        assert steps.max() <= 0.65 * 25 + 1
        cuts = [cut for cut in CUTS if shown[0] < cut <= shown[-1]]
        assert {int(steps[shown[1:] == cut][0]) for cut in cuts} == {1}
        assert len(shown) < 125  # not every frame


def test_the_towers_frames_stay_as_they_are(video):
    own = sample(video)
    for view in (CHANGES, EVERY):
        extracted = sample(video, view)
        for frames, expected in zip(extracted.frames, own.frames, strict=True):
            np.testing.assert_array_equal(frames.pixels, expected.pixels)
            np.testing.assert_array_equal(frames.pts, expected.pts)


def test_what_was_read_before_does_not_matter(video):
    """A chunk read first, and one read by a reader that continues, have the same frames."""
    both = sample(video, CHANGES)
    for number in (1, 0):
        alone = sample(video, CHANGES, numbers=(number,))
        (frames,), (expected,) = alone.second_frames[0], both.second_frames[number]
        np.testing.assert_array_equal(frames.pts, expected.pts)
        np.testing.assert_array_equal(frames.pixels, expected.pixels)


def test_it_does_not_matter_if_there_is_no_room_for_frames(video, monkeypatch):
    kept = sample(video, CHANGES)
    monkeypatch.setattr(gaps, "MOST_KEPT_BYTES", 0)
    again = sample(video, CHANGES)
    for (frames,), (expected,) in zip(again.second_frames, kept.second_frames, strict=True):
        np.testing.assert_array_equal(frames.pts, expected.pts)
        np.testing.assert_array_equal(frames.pixels, expected.pixels)


def test_cuts_at_unusual_keyframes_are_decoded_once(tmp_path, monkeypatch):
    """An encoder that sees the cuts puts keyframes there, at uneven distances."""
    parts = [shots()[begin:end] for begin, end in pairwise((0, *CUTS, FRAMES))]
    path = write_joined(tmp_path / "cuts.mp4", parts)
    assert set(np.round(np.array(keyframe_seconds(path)) * 25)) >= set(CUTS)
    decoded = count_decoded(monkeypatch)
    extracted = sample(path, CHANGES)
    pts = [packet.pts for packet in decoded]
    assert len(pts) == len(set(pts))
    shown = [n for (frames,) in extracted.second_frames for n in numbers(extracted, frames)]
    for cut in CUTS:
        assert {cut - 1, cut} <= set(shown)


def write_joined(path, parts):
    """Write parts that begin with a keyframe each."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"x264-params": X264})
        stream.height, stream.width = parts[0][0].shape[:2]
        pts = 0
        for part in parts:
            for number, pixels in enumerate(part):
                frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
                frame.pts, frame.time_base = pts, Fraction(1, 25)
                frame.pict_type = PictureType.I if number == 0 else PictureType.NONE
                container.mux(stream.encode(frame))
                pts += 1
        container.mux(stream.encode(None))
    return path


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
