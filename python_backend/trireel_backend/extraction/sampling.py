# SPDX-License-Identifier: Apache-2.0
"""Sampling the frames of a chunk: from times to frames to pixels."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
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
from trireel_backend.extraction.sheet import Sheet, ViewRequest
from trireel_backend.extraction.task import Frames
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling

# 16 reference frames and a few more in flight, of 1.5 bytes per pixel.
HELD_BYTES_PER_PIXEL = 32


class Reader(Protocol):
    """Finds the frames of an open video."""

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder."""

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last frame at or before it.

        None stands for a frame that the decoder did not output.

        Raises:
            TimesUnknown: if the file states no PTS; the remaining times get no frames.
        """

    def close(self) -> None:
        """Close the file."""


class VideoSampler:
    """An open video from which chunks are sampled."""

    def __init__(self, file: VideoFile) -> None:
        """Probe the file.

        Raises:
            NotAVideo: if nothing in the file can be decoded here.
            InvalidInput: if the file has no video stream of the requested index.
            TooMuchWork: if the video has more pixels than the limits allow.
        """
        self._file = file
        self._opened: OpenedVideo | None = None  # by the probe, until a reader takes it over
        self._is_animation = is_animated_webp(file.path)
        self._still = heif_picture(file.path)
        self._alpha: AlphaReader | None = None
        with damage_is_not_a_video():
            probe = self._look()
        self._file = replace(
            file,
            in_order=probe.in_order,
            has_restarts=probe.has_restarts,
            begins_midway=probe.begins_midway,
            is_cut_up=probe.is_cut_up,
        )
        self.info = probe.info
        """Facts that the file states about its video."""
        self.stills = probe.stills
        """Frames that stay on screen for long."""
        self._largest_pixels = self.info.frame_pixels  # it may change midway
        self.picture_size_px = (0, 0)
        """Width and height of the upright picture in square pixels; zeros before the first."""
        self._damage = Damage()
        self._readers: dict[bool, Reader] = {}  # for keyframes only, or for all frames
        self._makers: dict[View, PictureMaker] = {}
        self._last_alpha: tuple[TimedFrame, VideoFrame | None] | None = None

    def _look(self) -> Look:
        if self._is_animation:
            return Look(look_at_animation(self._file))
        if self._still is not None:
            return Look(look_at_still(self._file, self._still))
        opened = open_video(replace(self._file, on_gpu=False))  # nothing is decoded
        try:
            refuse_encrypted(self._file.path, *opened)
            self._alpha = alpha_reader(self._file, *opened)
            probe = look(self._file, opened)
        except BaseException:
            if self._alpha is not None:
                self._alpha.close()
            opened[0].close()
            raise
        if self._file.on_gpu:
            opened[0].close()
        else:
            self._opened = opened
        return probe

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
        """Rough number of bytes in use between two chunks."""
        open_decoders = len(self._readers) + (self._alpha is not None)
        return open_decoders * HELD_BYTES_PER_PIXEL * self._largest_pixels

    def sample(
        self, chunk: Chunk, sampling: Sampling, view: View, into: NDArray[np.uint8] | None = None
    ) -> Frames:
        """Decode the frames on screen at the middles of a chunk's slots.

        If the chunk has fewer frames than slots, a frame fills several slots.

        Args:
            into: [number of slots or more, S, S, 3] memory for the pixels.

        Raises:
            NotAVideo: if nothing could be decoded.
            InvalidInput: if the view's crop reaches beyond a frame.
        """
        (frames,) = self.sample_views(chunk, [ViewRequest(sampling, view, into)])
        return frames

    def sample_views(self, chunk: Chunk, views: Sequence[ViewRequest]) -> list[Frames]:
        """Decode a chunk once, and return its frames in each view.

        All views show only keyframes if the first view does.

        Raises:
            NotAVideo: if nothing could be decoded.
            InvalidInput: if a view's crop reaches beyond a frame.
        """
        keyframes_only = views[0].sampling.keyframes_only
        sheets = [Sheet(self._pictures(request.view, views), chunk, request) for request in views]
        targets = sorted({seconds for sheet in sheets for seconds in sheet.targets_seconds})
        self._damage.begin(chunk.start_seconds)
        with damage_is_not_a_video():
            self._last_alpha = None
            for index, timed in self._on_screen(targets, keyframes_only):
                for sheet in sheets:
                    sheet.put(targets[index], timed, self._alpha_of)
                frame_pixels = timed.frame.width * timed.frame.height
                self._largest_pixels = max(self._largest_pixels, frame_pixels)
                self.picture_size_px = self._pictures(views[0].view, views).upright_size_px(
                    timed.frame, self.info.pixel_aspect
                )
        damaged = self._damage.count(chunk.end_seconds)
        first, *others = sheets
        return [
            first.frames(damaged, each_once=keyframes_only),
            *(sheet.frames(damaged, each_once=False) for sheet in others),
        ]

    def _alpha_of(self, timed: TimedFrame) -> VideoFrame | None:
        if self._alpha is None:
            return None
        if self._last_alpha is None or self._last_alpha[0] is not timed:  # drawn for each view
            self._last_alpha = timed, self._alpha.alpha_of(timed)
        return self._last_alpha[1]

    def _pictures(self, view: View, views: Sequence[ViewRequest]) -> PictureMaker:
        if view not in self._makers:
            # A client that moves its crop around must not fill the memory.
            current = {request.view for request in views}
            self._makers = {v: maker for v, maker in self._makers.items() if v in current}
            self._makers[view] = PictureMaker(view)
        return self._makers[view]

    def _on_screen(
        self, targets: Sequence[float], keyframes_only: bool
    ) -> Iterator[tuple[int, TimedFrame]]:
        """Yield slots and their frames in any order; a full decode finds missing frames."""
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
