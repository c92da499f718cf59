# SPDX-License-Identifier: Apache-2.0
"""Sampling is exact for every codec, container and kind of GOP: equal to a full decode."""

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.extraction import look, sample_chunk, slot_middles
from support.videos import decode_everything, keyframe_seconds, write_video

from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

SIZE_PX = 24
FRAMES = 90
X264_OPEN_GOP = {"x264-params": "bframes=3:b-pyramid=normal:open-gop=1:scenecut=0:keyint=24"}
X264_PYRAMID = {"x264-params": "bframes=7:b-pyramid=normal:scenecut=0:keyint=40"}
X265_OPEN_GOP = {"x265-params": "log-level=none:keyint=24:bframes=4:open-gop=1:scenecut=0"}
VP9_HIDDEN_FRAMES = {
    "auto-alt-ref": "1",
    "lag-in-frames": "16",
    "deadline": "realtime",
    "cpu-used": "8",
}

# name: (file suffix, codec, pixel format, options)
KINDS = {
    "h264 mp4": ("mp4", "libx264", "yuv420p", X264_PYRAMID),
    "h264 open gop mp4": ("mp4", "libx264", "yuv420p", X264_OPEN_GOP),
    "h264 open gop mkv": ("mkv", "libx264", "yuv420p", X264_OPEN_GOP),
    "h264 ts": ("ts", "libx264", "yuv420p", X264_PYRAMID),
    "h264 flv": ("flv", "libx264", "yuv420p", {"x264-params": "keyint=30"}),
    "h264 10 bit mov": ("mov", "libx264", "yuv420p10le", X264_PYRAMID),
    "hevc mp4": ("mp4", "libx265", "yuv420p", {"x265-params": "log-level=none:keyint=30"}),
    "hevc open gop mkv": ("mkv", "libx265", "yuv420p", X265_OPEN_GOP),
    "hevc ts": ("ts", "libx265", "yuv420p", X265_OPEN_GOP),
    "vp9 webm": ("webm", "libvpx-vp9", "yuv420p", VP9_HIDDEN_FRAMES),
    "av1 mp4": ("mp4", "libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "keyint=30"}),
    "av1 mkv": ("mkv", "libsvtav1", "yuv420p", {"preset": "12", "svtav1-params": "keyint=30"}),
    "mpeg2 ts": ("ts", "mpeg2video", "yuv420p", {"bf": "2", "g": "15"}),
    "mpeg2 mpg": ("mpg", "mpeg2video", "yuv420p", {"bf": "2", "g": "15"}),
    "mpeg4 b frames avi": ("avi", "mpeg4", "yuv420p", {"bf": "2", "g": "20"}),
    "h264 b frames avi": ("avi", "libx264", "yuv420p", X264_PYRAMID),
    "mjpeg avi": ("avi", "mjpeg", "yuvj420p", {}),
    "prores mov": ("mov", "prores_ks", "yuv422p10le", {}),
    "ffv1 mkv": ("mkv", "ffv1", "yuv420p", {}),
    "gif": ("gif", "gif", "rgb8", {}),
}


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(11)
    pattern = rng.integers(0, 256, (12, 24, 3), np.uint8).repeat(8, 0).repeat(8, 1)
    return [
        np.roll(pattern, (2 * i, 5 * i), (0, 1))[:64, :96] // (1 + (i // 30) % 2)
        for i in range(FRAMES)
    ]


@dataclass(frozen=True)
class Video:
    """A video and all its frames as a full decode gives them."""

    path: Path
    everything: list = field(repr=False)


@pytest.fixture(scope="module", params=KINDS, ids=lambda name: name.replace(" ", "-"))
def video(request, pictures, tmp_path_factory):
    """A video of each kind."""
    suffix, codec, pixel_format, options = KINDS[request.param]
    path = tmp_path_factory.mktemp("kinds") / f"video.{suffix}"
    write_video(path, pictures, codec=codec, pixel_format=pixel_format, options=options, gop=None)
    return Video(path, decode_everything(path, SIZE_PX))


def expected_frame(everything, seconds):
    times = [time for time, _ in everything]
    return everything[max(0, bisect_right(times, seconds) - 1)]


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    parts=st.lists(
        st.tuples(st.floats(0, 0.98), st.floats(0.01, 1.0), st.integers(1, 12)),
        min_size=1,
        max_size=5,
    ),
    forward=st.booleans(),
)
def test_any_chunks_in_any_order(video, parts, forward):
    path, everything = video.path, video.everything
    info = look(path)
    if forward:  # as an analysis asks: the reader goes on from its place
        parts = sorted(parts)
    sampler = VideoSampler(VideoFile(path))
    try:
        for begin, share, num_frames in parts:
            start = info.start_seconds + begin * info.duration_seconds
            chunk = Chunk(0, start, share * (1 - begin) * info.duration_seconds)
            frames = sampler.sample(chunk, Sampling(num_frames), View.square(SIZE_PX))
            targets = slot_middles(start, chunk.duration_seconds, num_frames)
            for slot, target in enumerate(targets):
                seconds, pixels = expected_frame(everything, target)
                assert frames.timestamps_seconds[slot] == seconds
                np.testing.assert_array_equal(frames.pixels[slot], pixels)
            assert frames.damaged_packets == 0  # nothing had to be found in the plain way
    finally:
        sampler.close()


def test_the_whole_video_in_chunks(video):
    path, everything = video.path, video.everything
    info = look(path)
    assert info.duration_seconds == pytest.approx(FRAMES / 25, abs=0.1)
    sampler = VideoSampler(VideoFile(path))
    try:
        for index in range(6):
            span = info.duration_seconds / 6
            chunk = Chunk(index, info.start_seconds + index * span, span)
            frames = sampler.sample(chunk, Sampling(5), View.square(SIZE_PX))
            for slot, target in enumerate(slot_middles(chunk.start_seconds, span, 5)):
                seconds, pixels = expected_frame(everything, target)
                assert frames.timestamps_seconds[slot] == seconds
                np.testing.assert_array_equal(frames.pixels[slot], pixels)
    finally:
        sampler.close()


def test_keyframes_alone_are_keyframes_each_once_at_their_own_times(video):
    path, everything = video.path, video.everything
    info, keyframes, by_time = look(path), keyframe_seconds(path), dict(everything)
    sampler = VideoSampler(VideoFile(path))
    sampling = Sampling(7, keyframes_only=True)
    try:
        for begin in (0.0, 0.4, 0.7, 0.1):
            span = 0.3 * info.duration_seconds
            chunk = Chunk(0, info.start_seconds + begin * info.duration_seconds, span)
            frames = sampler.sample(chunk, sampling, View.square(SIZE_PX))
            middles = slot_middles(chunk.start_seconds, span, 7)
            due = [keyframes[max(0, bisect_right(keyframes, t) - 1)] for t in middles]
            assert frames.timestamps_seconds.tolist() == sorted(set(due))
            for seconds, pixels in zip(frames.timestamps_seconds, frames.pixels, strict=True):
                np.testing.assert_array_equal(pixels, by_time[seconds])
    finally:
        sampler.close()


def test_pts_and_time_base_are_the_times_exactly(video):
    frames = sample_chunk(video.path, Chunk(0, look(video.path).start_seconds, 2.0), 9, SIZE_PX)
    assert frames.pts.dtype == np.int64
    exact = [float(int(pts) * frames.time_base) for pts in frames.pts]
    assert exact == frames.timestamps_seconds.tolist()
    with av.open(str(video.path)) as container:
        stream = container.streams.video[0]
        if container.format.name != "avi":  # it has no times, and frames are counted
            assert frames.time_base == stream.time_base
            assert set(frames.pts.tolist()) <= {frame.pts for frame in container.decode(stream)}
