# SPDX-License-Identifier: Apache-2.0
"""The frames of a chunk: which times, which frames, which pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.container import (
    damage_is_not_a_video,
    look,
    open_container,
    video_stream,
)
from trireel_backend.extraction.picture import PictureMaker
from trireel_backend.extraction.plain import TimedFrame, decode_on_screen
from trireel_backend.extraction.reader import FrameReader, TimesUnknown
from trireel_backend.plan import Chunk, slot_middles


@dataclass(frozen=True)
class Frames:
    """Frames sampled from one chunk."""

    pixels: NDArray[np.uint8]
    """[f, S, S, 3] RGB, the whole picture squashed to the square."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of each frame."""


class VideoSampler:
    """An open video that hands out the frames of its chunks."""

    def __init__(self, path: Path) -> None:
        """Open the file; raises NotAVideo."""
        self.info = look(path)
        """Start and length of the video."""
        self._path = path
        self._reader = FrameReader(path)
        self._makers: dict[int, PictureMaker] = {}

    def close(self) -> None:
        """Close the file."""
        self._reader.close()

    def sample(self, chunk: Chunk, num_frames: int, size_px: int) -> Frames:
        """Decode the frames on screen at the middles of a chunk's slots.

        Where the chunk holds fewer frames than slots, a frame stands in several of them.

        Raises:
            NotAVideo: nothing could be decoded.
        """
        targets = slot_middles(chunk.start_seconds, chunk.duration_seconds, num_frames)
        pixels = np.empty((num_frames, size_px, size_px, 3), np.uint8)
        timestamps = np.empty(num_frames, np.float64)
        pictures = self._pictures(size_px)
        drawn: tuple[VideoFrame, int] | None = None
        with damage_is_not_a_video():
            for slot, timed in self._on_screen(targets.tolist()):
                if drawn is not None and timed.frame is drawn[0]:
                    pixels[slot] = pixels[drawn[1]]
                else:
                    pixels[slot] = pictures.draw(timed.frame)
                timestamps[slot] = timed.seconds
                drawn = timed.frame, slot
        return Frames(pixels, timestamps)

    def _pictures(self, size_px: int) -> PictureMaker:
        return self._makers.setdefault(size_px, PictureMaker(size_px))

    def _on_screen(self, targets: Sequence[float]) -> Iterator[tuple[int, TimedFrame]]:
        """Yield slots and their frames, in no certain order; the plain way finds what is left."""
        missing = dict(enumerate(targets))
        try:
            for slot, timed in self._reader.frames_on_screen(targets):
                if timed is not None:
                    del missing[slot]
                    yield slot, timed
        except TimesUnknown:
            pass
        if missing:
            with open_container(self._path) as container:
                stream = video_stream(container)
                plain = decode_on_screen(container, stream, list(missing.values()))
                yield from zip(missing, plain, strict=True)


def sample_chunk(path: Path, chunk: Chunk, num_frames: int, size_px: int) -> Frames:
    """Sample one chunk of a file; raises NotAVideo."""
    sampler = VideoSampler(path)
    try:
        return sampler.sample(chunk, num_frames, size_px)
    finally:
        sampler.close()
