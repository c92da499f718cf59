# SPDX-License-Identifier: Apache-2.0
"""Several views of a chunk from one decoding pass, each as if it were the only one."""

from dataclasses import replace

import numpy as np
import pytest
from support.decoding import count_decoded
from support.videos import numbered_frame, write_video

from trireel_backend.errors import InvalidInput
from trireel_backend.extraction.extractor import Extractor
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.task import ExtractionTask, ExtractorOptions, SecondView
from trireel_backend.extraction.view import Crop, View
from trireel_backend.plan import Sampling

SECOND = SecondView(View.square(32), max_frames=32, fps=6.0)
CROPPED = SecondView(View.square(24, Crop(0.25, 0.0, 0.5, 1.0)), max_frames=3, fps=2.0)
MEMORY_BYTES = 2**22


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    """10 s at 25 frames a second, B-frames and a keyframe every 2 s."""
    path = tmp_path_factory.mktemp("views") / "numbered.mp4"
    frames = [numbered_frame(number) for number in range(250)]
    return write_video(path, frames, gop=50, options={"bf": "2", "preset": "ultrafast"})


def task_of(path, *, second_views=(), **changes):
    task = ExtractionTask(
        path,
        5.0,
        Sampling(8),
        View.square(48),
        starts_seconds=(0.0, 5.0),
        second_views=second_views,
    )
    return replace(task, **changes)


def alone(path, second, **changes):
    """Return the frames of a second view if it is the task's own."""
    sampling = Sampling(fps=second.fps)
    if sampling.count(5.0) > second.max_frames:
        sampling = Sampling(second.max_frames)
    task = task_of(path, sampling=sampling, view=second.view, **changes)
    return Extractor(ExtractorOptions()).run(task).frames


def assert_same(frames, expected):
    np.testing.assert_array_equal(frames.pixels, expected.pixels)
    np.testing.assert_array_equal(frames.pts, expected.pts)
    assert frames.time_base == expected.time_base


@pytest.mark.parametrize("isolated", [False, True])
def test_each_view_is_as_if_it_were_the_only_one(video, isolated):
    options = ExtractorOptions()
    extractor = IsolatedExtractor(options, 2**20, MEMORY_BYTES) if isolated else Extractor(options)
    try:
        extracted = extractor.run(task_of(video, second_views=(SECOND, CROPPED)))
    finally:
        if isolated:
            extractor.close()
    own = Extractor(options).run(task_of(video)).frames
    for chunk, views in enumerate(extracted.second_frames):
        assert_same(extracted.frames[chunk], own[chunk])
        for second, frames in zip((SECOND, CROPPED), views, strict=True):
            assert_same(frames, alone(video, second)[chunk])
    assert len(extracted.second_frames) == 2


def test_two_views_decode_each_packet_once(video, monkeypatch):
    """Another size and another rate: the decoder gets every packet once, for all views."""
    decoded = count_decoded(monkeypatch)
    Extractor(ExtractorOptions()).run(task_of(video, second_views=(SECOND,)))
    pts = [packet.pts for packet in decoded]
    assert len(pts) == len(set(pts)) <= 250
    decoded.clear()
    alone(video, SECOND)
    assert sorted(pts) == sorted(packet.pts for packet in decoded)  # the denser view decides


@pytest.mark.parametrize("keyframes_only", [False, True])
def test_keyframes_only_holds_for_all_views(video, keyframes_only):
    task = task_of(video, sampling=Sampling(8, keyframes_only=keyframes_only))
    extracted = Extractor(ExtractorOptions()).run(replace(task, second_views=(SECOND,)))
    times = {pts for (frames,) in extracted.second_frames for pts in frames.timestamps_seconds}
    assert (times <= {0.0, 2.0, 4.0, 6.0, 8.0}) == keyframes_only


def test_a_long_chunk_has_no_more_frames_than_allowed(video):
    task = task_of(video, chunk_seconds=10.0, starts_seconds=(), second_views=(CROPPED,))
    ((frames,),) = Extractor(ExtractorOptions()).run(task).second_frames
    assert len(frames.pts) == CROPPED.max_frames
    np.testing.assert_allclose(frames.timestamps_seconds, [5 / 3, 5, 25 / 3], atol=0.04)


def test_more_than_fits_into_the_memory_is_rejected(video):
    extractor = IsolatedExtractor(ExtractorOptions(), 2**20, 2**12)
    try:
        with pytest.raises(InvalidInput, match="FIND needs take more than 4096 bytes: name fewer"):
            extractor.run(task_of(video, second_views=(SECOND,)))
        assert len(extractor.run(task_of(video)).frames) == 2  # the worker goes on
    finally:
        extractor.close()
