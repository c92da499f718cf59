# SPDX-License-Identifier: Apache-2.0
"""Frames of a file, found by the cheapest reader; a full decode finds what it cannot."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from trireel_backend.extraction.reading.animation import AnimationReader
from trireel_backend.extraction.reading.full_decode import (
    Damage,
    TimedFrame,
    decode_every,
    decode_on_screen,
)
from trireel_backend.extraction.reading.gaps import Keep, Kept, PassedPacket
from trireel_backend.extraction.reading.heif import HeifPicture
from trireel_backend.extraction.reading.keyframes import KeyframeReader
from trireel_backend.extraction.reading.opening import OpenedVideo, VideoFile
from trireel_backend.extraction.reading.packets import DecodingReader, TimesUnknown
from trireel_backend.extraction.reading.reader import FrameReader
from trireel_backend.extraction.reading.stills import StillReader


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

    def every_frame(
        self, start_seconds: float, end_seconds: float
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the frame on screen at the start, then each frame before the end, with its time.

        None stands for a frame that the decoder did not output.

        Raises:
            TimesUnknown: if the file states no PTS; no further frame will be yielded.
        """

    def close(self) -> None:
        """Close the file."""


@dataclass(frozen=True)
class SourceFile:
    """A file, and the kind of reader that it needs."""

    file: VideoFile
    decoder: str
    """FFmpeg's name of the software decoder."""
    is_animation: bool
    """True for an animated WebP."""
    still: HeifPicture | None
    """Parts of a HEIF or AVIF picture, None for another file."""


class FrameSource:
    """Frames of a file at times that mostly go forward."""

    def __init__(self, source: SourceFile, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it when a frame is needed."""
        self._source = source
        self._file = source.file
        self._opened = opened
        self._readers: dict[bool, Reader] = {}  # for keyframes only, or for all frames
        self._again: FrameSource | None = None  # for frames that were skipped
        self.damage = Damage()
        """Packets that could not be decoded."""

    def close(self) -> None:
        """Close the file."""
        if self._opened is not None:
            self._opened[0].close()
        if self._again is not None:
            self._again.close()
        for reader in self._readers.values():
            reader.close()

    @property
    def decoder(self) -> str:
        """FFmpeg's name of the decoder; whether it is the GPU's is known after the first frame."""
        return next((reader.decoder for reader in self._readers.values()), self._source.decoder)

    @property
    def open_decoders(self) -> int:
        """Number of decoders that hold frames."""
        return len(self._readers) + (0 if self._again is None else self._again.open_decoders)

    def apart(self) -> "FrameSource":
        """Return another source of the same file, with a position and damage of its own."""
        return FrameSource(self._source)

    def finds_frames(self, keyframes_only: bool) -> bool:
        """Return whether a frame can be found without decoding all frames before it."""
        reader = self._reader(keyframes_only)
        return isinstance(reader, DecodingReader) and reader.has_times()

    def on_screen(
        self, targets: Sequence[float], keyframes_only: bool, *, keep: Keep | None = None
    ) -> Iterator[tuple[int, TimedFrame]]:
        """Yield slots and their frames in any order; a full decode finds missing frames.

        Args:
            keep: keep what passes by between them, for `kept`; it returns what is kept.
        """
        missing = dict(enumerate(targets))
        options = {} if keep is None or keyframes_only else {"keep": keep}
        try:
            for slot, timed in self._reader(keyframes_only).frames_on_screen(targets, **options):
                if timed is not None:
                    del missing[slot]
                    yield slot, timed
        except TimesUnknown:
            pass
        yield from self.decoded_plainly(missing, keyframes_only)

    def decoded_plainly(
        self, missing: Mapping[int, float], keyframes_only: bool
    ) -> Iterator[tuple[int, TimedFrame]]:
        """Yield slots and their frames, in order, by a full decode."""
        if missing:
            plain = decode_on_screen(
                self._file, list(missing.values()), self.damage, keyframes_only=keyframes_only
            )
            yield from zip(missing, plain, strict=True)

    def between(
        self, start_seconds: float, end_seconds: float, keyframes_only: bool
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the frame on screen at the start, then each frame before the end, with its time.

        None stands for a frame that did not come out of the decoder.
        """
        reached_seconds = float("-inf")
        try:
            for seconds, timed in self._reader(keyframes_only).every_frame(
                start_seconds, end_seconds
            ):
                reached_seconds = seconds
                yield seconds, timed
            return
        except TimesUnknown:
            pass
        for timed in decode_every(
            self._file,
            max(start_seconds, reached_seconds),
            end_seconds,
            self.damage,
            keyframes_only=keyframes_only,
        ):
            if timed.seconds > reached_seconds:  # two frames may state the same time
                reached_seconds = timed.seconds
                yield reached_seconds, timed

    def gap_packets(self, pts: tuple[int, int]) -> list[PassedPacket] | None:
        """Return the packets behind a frame on screen up to the next one, by PTS.

        None if nothing is known about them.
        """
        reader = self._readers.get(False)
        return reader.gaps.packets(*pts) if isinstance(reader, FrameReader) else None

    def kept(self, pts: int) -> Kept | None:
        """Return what is kept of a frame, None if it is not."""
        reader = self._readers.get(False)
        assert isinstance(reader, FrameReader)
        return reader.gaps.kept(pts)

    def decoded_again(self, pts: int, seconds: float) -> TimedFrame | None:
        """Return one frame, decoded by going back; None if it does not come out."""
        for _, timed in self._going_back().on_screen([seconds], False):
            if timed.pts == pts:
                return timed
        return None

    def gap(
        self, pts: tuple[int, int], seconds: tuple[float, float], keyframes_only: bool
    ) -> Iterator[TimedFrame]:
        """Yield all frames between two frames on screen, in order, decoded by going back.

        Args:
            pts: PTS of the two frames, in units of the time base.
            seconds: PTS of the two frames in seconds.
        """
        for _, timed in self._going_back().between(*seconds, keyframes_only):
            if timed is not None and pts[0] < timed.pts < pts[1]:
                yield timed

    def release_gaps(self, pts: int) -> None:
        """Release what was kept of gaps that lie before a frame."""
        reader = self._readers.get(False)
        if isinstance(reader, FrameReader):
            reader.gaps.release(pts)

    def _going_back(self) -> "FrameSource":
        if self._again is None:
            self._again = self.apart()
        return self._again

    def _reader(self, keyframes_only: bool) -> Reader:
        if keyframes_only not in self._readers:
            self._readers[keyframes_only] = self._open_reader(keyframes_only)
        return self._readers[keyframes_only]

    def _open_reader(self, keyframes_only: bool) -> Reader:
        if self._source.is_animation:
            return AnimationReader(self._file)
        if self._source.still is not None:
            return StillReader(self._file, self._source.still, self._source.decoder)
        kind = KeyframeReader if keyframes_only else FrameReader
        opened, self._opened = self._opened, None
        return kind(self._file, self.damage, opened)
