# SPDX-License-Identifier: Apache-2.0
"""The frames of a chunk: which times, which frames, which pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Protocol

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.alpha import AlphaReader, alpha_reader
from trireel_backend.extraction.reading.animation import (
    AnimationReader,
    is_animated_webp,
    look_at_animation,
)
from trireel_backend.extraction.reading.encryption import refuse_encrypted
from trireel_backend.extraction.reading.full_decode import Damage, TimedFrame, decode_on_screen
from trireel_backend.extraction.reading.heif import heif_picture
from trireel_backend.extraction.reading.keyframes import KeyframeReader
from trireel_backend.extraction.reading.look import Look, look
from trireel_backend.extraction.reading.opening import (
    OpenedVideo,
    VideoFile,
    damage_is_not_a_video,
    open_video,
)
from trireel_backend.extraction.reading.packets import TimesUnknown
from trireel_backend.extraction.reading.reader import FrameReader
from trireel_backend.extraction.reading.stills import StillReader, look_at_still
from trireel_backend.extraction.task import Frames
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

# 16 reference frames and a few on their way, of 1.5 bytes a pixel.
HELD_BYTES_PER_PIXEL = 32


class Reader(Protocol):
    """What finds the frames of an open video."""

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder."""

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last frame not after it.

        None stands for a frame that did not come out of the decoder.

        Raises:
            TimesUnknown: the container states no PTS; of the times not yet answered none will be.
        """

    def close(self) -> None:
        """Close the file."""


class VideoSampler:
    """An open video that hands out the frames of its chunks."""

    def __init__(self, file: VideoFile) -> None:
        """Look at the file.

        Raises:
            NotAVideo: nothing in it can be decoded here.
            InvalidInput: it has no video stream of the wanted index.
            TooMuchWork: it has more pixels than the limits allow.
        """
        self._file = file
        self._opened: OpenedVideo | None = None  # by the look, until a reader takes it over
        self._is_animation = is_animated_webp(file.path)
        self._still = heif_picture(file.path)
        self._alpha: AlphaReader | None = None
        with damage_is_not_a_video():
            found = self._look()
        self._file = replace(
            file,
            in_order=found.in_order,
            has_restarts=found.has_restarts,
            begins_midway=found.begins_midway,
            is_cut_up=found.is_cut_up,
        )
        self.info = found.info
        """What the file says of its video."""
        self.stills = found.stills
        """Frames that stand for long."""
        self._largest_pixels = self.info.frame_pixels  # which may change midway
        self._damage = Damage()
        self._readers: dict[bool, Reader] = {}  # for keyframes only, or for all frames
        self._makers: dict[View, PictureMaker] = {}

    def _look(self) -> Look:
        if self._is_animation:
            return Look(look_at_animation(self._file))
        if self._still is not None:
            return Look(look_at_still(self._file, self._still))
        opened = open_video(replace(self._file, on_gpu=False))  # nothing is decoded
        try:
            refuse_encrypted(self._file.path, *opened)
            self._alpha = alpha_reader(self._file, *opened)
            found = look(self._file, opened)
        except BaseException:
            if self._alpha is not None:
                self._alpha.close()
            opened[0].close()
            raise
        if self._file.on_gpu:
            opened[0].close()
        else:
            self._opened = opened
        return found

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened[0].close()
        if self._alpha is not None:
            self._alpha.close()
        for reader in self._readers.values():
            reader.close()

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder; whether it is the GPU's is known after the first frame."""
        return next((reader.decoder for reader in self._readers.values()), self.info.decoder)

    @property
    def held_bytes(self) -> int:
        """Roughly the memory that is taken between two chunks."""
        open_decoders = len(self._readers) + (self._alpha is not None)
        return open_decoders * HELD_BYTES_PER_PIXEL * self._largest_pixels

    def sample(
        self, chunk: Chunk, sampling: Sampling, view: View, into: NDArray[np.uint8] | None = None
    ) -> Frames:
        """Decode the frames on screen at the middles of a chunk's slots.

        Where the chunk holds fewer frames than slots, a frame stands in several of them.

        Args:
            into: [at least as many as slots, S, S, 3], where the pixels are to be.

        Raises:
            NotAVideo: nothing could be decoded.
            InvalidInput: the view's crop reaches beyond a frame.
        """
        targets = sampling.slot_middles(chunk)
        self._damage.begin(chunk.start_seconds)
        shape = (len(targets), view.size_px, view.size_px, 3)
        pixels = np.empty(shape, np.uint8) if into is None else into[: len(targets)]
        pts = np.empty(len(targets), np.int64)
        pictures = self._pictures(view)
        drawn: tuple[VideoFrame, int] | None = None
        time_base = Fraction(1)
        with damage_is_not_a_video():
            for slot, timed in self._on_screen(targets.tolist(), sampling.keyframes_only):
                if drawn is not None and timed.frame is drawn[0]:
                    pixels[slot] = pixels[drawn[1]]
                else:
                    alpha = None if self._alpha is None else self._alpha.alpha_of(timed)
                    pixels[slot] = pictures.draw(timed.frame, alpha)
                pts[slot], time_base = timed.pts, timed.time_base
                frame_pixels = timed.frame.width * timed.frame.height
                self._largest_pixels = max(self._largest_pixels, frame_pixels)
                drawn = timed.frame, slot
        if sampling.keyframes_only:
            pixels, pts = _each_once(pixels, pts)
        damaged = self._damage.count(chunk.end_seconds)
        return Frames(pixels, pts, time_base, damaged)

    def _pictures(self, view: View) -> PictureMaker:
        if view not in self._makers:
            self._makers.clear()  # a client that moves its crop about must not fill the memory
            self._makers[view] = PictureMaker(view)
        return self._makers[view]

    def _on_screen(
        self, targets: Sequence[float], keyframes_only: bool
    ) -> Iterator[tuple[int, TimedFrame]]:
        """Yield slots and their frames, in no certain order; the plain way finds what is left."""
        missing = dict(enumerate(targets))
        try:
            for slot, timed in self._reader(keyframes_only).frames_on_screen(targets):
                if timed is not None:
                    del missing[slot]
                    yield slot, timed
        except TimesUnknown:
            pass
        if missing:
            plain = decode_on_screen(
                self._file, list(missing.values()), self._damage, keyframes_only=keyframes_only
            )
            yield from zip(missing, plain, strict=True)

    def _reader(self, keyframes_only: bool) -> Reader:
        if keyframes_only not in self._readers:
            self._readers[keyframes_only] = self._open_reader(keyframes_only)
        return self._readers[keyframes_only]

    def _open_reader(self, keyframes_only: bool) -> Reader:
        if self._is_animation:
            return AnimationReader(self._file)
        if self._still is not None:
            return StillReader(self._file, self._still, self.info.decoder)
        kind = KeyframeReader if keyframes_only else FrameReader
        opened, self._opened = self._opened, None
        return kind(self._file, self._damage, opened)


def _each_once(
    pixels: NDArray[np.uint8], pts: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Move each different frame to the front, in place; times are in order."""
    different = [slot for slot in range(len(pts)) if slot == 0 or pts[slot] != pts[slot - 1]]
    for place, slot in enumerate(different):
        if place != slot:
            pixels[place] = pixels[slot]
    return pixels[: len(different)], pts[different]
