# SPDX-License-Identifier: Apache-2.0
"""Sampling the frames of a chunk: from times to frames to pixels."""

import math
from collections import deque
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from fractions import Fraction

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.changes import PROBE_SECONDS, Changes, probes_seconds
from trireel_backend.extraction.frame_source import FrameSource, SourceFile
from trireel_backend.extraction.picture.scaling import PictureMaker
from trireel_backend.extraction.reading.alpha import AlphaReader, alpha_reader
from trireel_backend.extraction.reading.animation import (
    is_animated_webp,
    look_at_animation,
)
from trireel_backend.extraction.reading.encryption import refuse_encrypted
from trireel_backend.extraction.reading.full_decode import (
    TimedFrame,
)
from trireel_backend.extraction.reading.gaps import Keep
from trireel_backend.extraction.reading.heif import heif_picture
from trireel_backend.extraction.reading.look import Look, look
from trireel_backend.extraction.reading.opening import (
    OpenedVideo,
    VideoFile,
    damage_is_not_a_video,
    open_video,
)
from trireel_backend.extraction.reading.stills import look_at_still
from trireel_backend.extraction.runs import Run, frame_bounds
from trireel_backend.extraction.sheet import Sheet, ViewRequest
from trireel_backend.extraction.task import Frames, SecondView
from trireel_backend.extraction.view import View
from trireel_backend.plan import Chunk, Sampling, Selection

# 16 reference frames and a few more in flight, of 1.5 bytes per pixel.
HELD_BYTES_PER_PIXEL = 32


AnySheet = Sheet | Run | Changes


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
        self._upright: tuple[int, int, Fraction] | None = None  # of the last frame drawn
        self._source = FrameSource(
            SourceFile(self._file, probe.info.decoder, self._is_animation, self._still),
            self._opened,
        )
        self._makers: dict[View, PictureMaker] = {}
        self._frames_per_second = probe.frames_per_second
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
        if self._alpha is not None:
            self._alpha.close()
        self._source.close()

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder; whether it is the GPU's is known after the first frame."""
        return self._source.decoder

    @property
    def held_bytes(self) -> int:
        """Rough number of bytes in use between two chunks."""
        open_decoders = self._source.open_decoders + (self._alpha is not None)
        return open_decoders * HELD_BYTES_PER_PIXEL * self._largest_pixels

    def most_frames(self, chunk: Chunk, second_view: SecondView) -> int:
        """Return about how many frames of a chunk a view has that is not selected by rate."""
        if second_view.selection == Selection.CHANGES:
            return 2 + math.ceil(chunk.duration_seconds / PROBE_SECONDS)
        frames = math.ceil(chunk.duration_seconds * self._frames_per_second)
        return min(frames, second_view.max_frames)

    def sample(
        self, chunk: Chunk, sampling: Sampling, view: View, into: NDArray[np.uint8] | None = None
    ) -> Frames:
        """Decode the frames on screen at the middles of a chunk's slots.

        If the chunk has fewer frames than slots, a frame fills several slots.

        Args:
            into: [number of slots or more, H, W, 3] memory for the pixels.

        Raises:
            NotAVideo: if nothing could be decoded.
            InvalidInput: if the view's crop reaches beyond a frame.
        """
        (frames,) = self.sample_views(chunk, ViewRequest(sampling, view, into), ())
        return frames

    def sample_views(
        self, chunk: Chunk, request: ViewRequest, second_views: Sequence[SecondView]
    ) -> list[Frames]:
        """Decode a chunk once, and return its frames in the requested view and in each second view.

        All views show only keyframes if the requested view does.

        Raises:
            NotAVideo: if nothing could be decoded.
            InvalidInput: if a view's crop reaches beyond a frame, or a view has too many frames.
        """
        keyframes_only = request.sampling.keyframes_only
        each_view = [request.view, *(second.view for second in second_views)]
        views = set(each_view)
        first = Sheet(self._pictures(request.view, views), chunk, request)
        others = [self._second_sheet(chunk, second, request, views) for second in second_views]
        self._source.damage.begin(chunk.start_seconds)
        with damage_is_not_a_video():
            self._last_alpha = None
            damaged = self._fill(chunk, [first, *others], keyframes_only)
        pictures = [
            first.frames(damaged, each_once=keyframes_only),
            *(sheet.frames(damaged, each_once=False) for sheet in others),
        ]
        return [
            replace(frames, shown=view.shown(*self._upright)) if self._upright else frames
            for frames, view in zip(pictures, each_view, strict=True)
        ]

    def _second_sheet(
        self, chunk: Chunk, second: SecondView, request: ViewRequest, views: Set[View]
    ) -> AnySheet:
        pictures = self._pictures(second.view, views)
        if second.selection == Selection.RATE:
            return Sheet(pictures, chunk, ViewRequest(second.sampling(chunk), second.view))
        if second.selection == Selection.EVERY:
            return Run(pictures, chunk, second)
        probes = probes_seconds(chunk, request.sampling, second.max_frames // 2)
        keyframes_only = request.sampling.keyframes_only
        return Changes(
            pictures,
            probes,
            second,
            self._source,
            keep=self._keep(pictures),
            keyframes_only=keyframes_only,
        )

    def _fill(self, chunk: Chunk, sheets: Sequence[AnySheet], keyframes_only: bool) -> int:
        """Fill all sheets in one pass; return the number of damaged packets."""
        targets = _targets(sheets)
        dense = [sheet for sheet in sheets if isinstance(sheet, Run | Changes)]
        finds_frames = self._source.finds_frames(keyframes_only)
        if any(isinstance(sheet, Run) for sheet in dense) or (dense and not finds_frames):
            found = self._every(chunk, targets, dense, keyframes_only)
        else:
            keep = next((sheet.keep for sheet in dense if isinstance(sheet, Changes)), None)
            found = self._source.on_screen(targets, keyframes_only, keep=keep)
        self._put(sheets, targets, found)
        damaged = self._source.damage.count(chunk.end_seconds)
        if not (dense and damaged):
            return damaged
        # A decoder conceals damage by the frames that it decoded before: these may be others if
        # nothing is skipped. So the frames of no second view decide which are seen.
        source = self._source.apart()
        try:
            sparse = [sheet for sheet in sheets if isinstance(sheet, Sheet)]
            targets = _targets(sparse)
            self._put(sparse, targets, source.on_screen(targets, keyframes_only))
            return source.damage.count(chunk.end_seconds)
        finally:
            source.close()

    def _put(
        self,
        sheets: Sequence[AnySheet],
        targets: Sequence[float],
        found: Iterator[tuple[int, TimedFrame]],
    ) -> None:
        for index, timed in found:
            for sheet in sheets:
                sheet.put(targets[index], timed, self._alpha_of)
            frame_pixels = timed.frame.width * timed.frame.height
            self._largest_pixels = max(self._largest_pixels, frame_pixels)
            self.picture_size_px = sheets[0].pictures.upright_size_px(timed.frame)
            self._upright = sheets[0].pictures.upright(timed.frame)

    def _alpha_of(self, timed: TimedFrame) -> VideoFrame | None:
        if self._alpha is None:
            return None
        if self._last_alpha is None or self._last_alpha[0] is not timed:  # drawn for each view
            self._last_alpha = timed, self._alpha.alpha_of(timed)
        return self._last_alpha[1]

    def _keep(self, pictures: PictureMaker) -> Keep:
        """Return what keeps of a frame as little as its picture in one view needs."""
        if self._alpha is not None:
            return lambda frame: frame
        return lambda frame: pictures.sketch(frame) or frame

    def _pictures(self, view: View, views: Set[View]) -> PictureMaker:
        if view not in self._makers:
            # A client that moves its crop around must not fill the memory.
            self._makers = {v: maker for v, maker in self._makers.items() if v in views}
            self._makers[view] = PictureMaker(view, self.info.pixel_aspect)
        return self._makers[view]

    def _every(
        self,
        chunk: Chunk,
        targets: Sequence[float],
        dense: Sequence[Run | Changes],
        keyframes_only: bool,
    ) -> Iterator[tuple[int, TimedFrame]]:
        """Show every frame of a chunk to dense sheets; yield slots and their frames in any order.

        Both come from one pass.
        """
        pending, missing = deque(range(len(targets))), dict[int, float]()
        last: TimedFrame | None = None
        is_first = True
        for seconds, timed in self._source.between(*frame_bounds(chunk), keyframes_only):
            while pending and not is_first and targets[pending[0]] < seconds:
                index = pending.popleft()
                if last is None:
                    missing[index] = targets[index]
                else:
                    yield index, last
            last, is_first = timed, False
            if timed is not None:
                for sheet in dense:
                    sheet.pass_by(timed, self._alpha_of)
        for index in pending:
            if last is None:
                missing[index] = targets[index]
            else:
                yield index, last
        yield from self._source.decoded_plainly(missing, keyframes_only)


def _targets(sheets: Sequence[AnySheet]) -> list[float]:
    return sorted({seconds for sheet in sheets for seconds in sheet.targets_seconds})
