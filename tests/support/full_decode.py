# SPDX-License-Identifier: Apache-2.0
"""Comparing what is sampled of a whole file with a full decode, in chunks of any order."""

from bisect import bisect_right
from dataclasses import dataclass, field
from pathlib import Path

import av
import numpy as np

from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.sampling import VideoSampler
from trireel_backend.extraction.view import View
from trireel_backend.plan import Sampling, plan_chunks

SIZE_PX = 24


@dataclass(frozen=True)
class Decoded:
    """All frames of a file in order of their times, as a decoder that skips nothing gives them."""

    seconds: list = field(default_factory=list)
    pictures: list = field(default_factory=list)
    keyframe_seconds: list = field(default_factory=list)

    def on_screen(self, seconds):
        """Return the index of the frame on screen at a time."""
        return max(0, bisect_right(self.seconds, seconds) - 1)


def decode_fully(path: Path, *, rate: int | None = None) -> Decoded:
    """Decode a file; with a rate, times are counted from the first frame's."""
    maker, frames = PictureMaker(View.square(SIZE_PX)), []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for packet in container.demux(stream):
            if packet.size == 0 and packet.pts is not None:
                continue  # libavcodec takes it for the end
            for frame in stream.codec_context.decode(packet):
                seconds = float(frame.pts * stream.time_base)
                frames.append((seconds, maker.draw(frame), frame.key_frame))
    if rate is not None:
        start = frames[0][0]
        frames = [(start + i / rate, *frame[1:]) for i, frame in enumerate(frames)]
    frames.sort(key=lambda frame: frame[0])
    keyframes = [seconds for seconds, _, is_keyframe in frames if is_keyframe]
    return Decoded([f[0] for f in frames], [f[1] for f in frames], keyframes)


def assert_sampled_as_decoded(path: Path, decoded: Decoded, chunk_seconds=(1.0, 10.0)):
    """Compare each chunk's frames and keyframes, in order and out of order, with a full decode."""
    for seconds in chunk_seconds:
        chunks = plan(path, seconds)
        shuffled = [chunks[i] for i in np.random.default_rng(3).permutation(len(chunks))]
        for order in (chunks, shuffled):
            for num_frames in (2, 16):
                _compare(path, decoded, order, Sampling(num_frames))
                _compare(path, decoded, order, Sampling(num_frames, keyframes_only=True))


def plan(path: Path, chunk_seconds: float):
    """Return the chunks of a file."""
    sampler = VideoSampler(VideoFile(path))
    info, stills = sampler.info, sampler.stills
    sampler.close()
    return plan_chunks(info.start_seconds, info.duration_seconds, chunk_seconds, stills)


def _compare(path, decoded, chunks, sampling):
    sampler = VideoSampler(VideoFile(path))
    try:
        for chunk in chunks:
            frames = sampler.sample(chunk, sampling, View.square(SIZE_PX))
            middles = sampling.slot_middles(chunk)
            if sampling.keyframes_only:
                known = decoded.keyframe_seconds
                due = sorted({known[max(0, bisect_right(known, t + 1e-6) - 1)] for t in middles})
                which = [decoded.on_screen(seconds + 1e-6) for seconds in due]
            else:
                which = [decoded.on_screen(t + 1e-6) for t in middles]
            expected = [decoded.seconds[index] for index in which]
            np.testing.assert_allclose(frames.timestamps_seconds, expected, atol=1e-6)
            for pixels, index in zip(frames.pixels, which, strict=True):
                np.testing.assert_array_equal(pixels, decoded.pictures[index])
            assert frames.damaged_packets == 0
    finally:
        sampler.close()
