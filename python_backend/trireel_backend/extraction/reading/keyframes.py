# SPDX-License-Identifier: Apache-2.0
"""Decoding keyframes alone: a quick look at a fraction of the cost."""

from collections import deque
from collections.abc import Iterator, Sequence

from trireel_backend.extraction.reading.full_decode import Damage, TimedFrame
from trireel_backend.extraction.reading.opening import OpenedVideo, VideoFile, decode
from trireel_backend.extraction.reading.packets import (
    NEVER_SECONDS,
    DecodingReader,
    TimedPacket,
    TimesUnknown,
)


class KeyframeReader(DecodingReader):
    """Finds the last keyframes before times that mostly go forward."""

    def __init__(self, file: VideoFile, damage: Damage, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it; raises what `open_video` does."""
        super().__init__(file, damage, opened)
        self._current: TimedPacket | None = None
        self._later: deque[TimedPacket] = deque()  # read already, in order of their times
        self._last_seconds = NEVER_SECONDS
        self._decoded: TimedFrame | None = None

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last keyframe not after it.

        Before a video's first keyframe that is its first. None stands for one that did not come
        out of the decoder.

        Raises:
            TimesUnknown: the container states no PTS; of the times not yet answered none will be.
        """
        self._packets.check_times()
        for slot, seconds in enumerate(targets_seconds):
            try:
                keyframe = self._keyframe(seconds)
            except TimesUnknown:
                self._current = None  # a packet has been read that may have been one
                raise
            yield slot, self._decode(keyframe)

    def every_frame(
        self, start_seconds: float, end_seconds: float
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the last keyframe before the start, then each keyframe before the end.

        Raises:
            TimesUnknown: the container states no PTS; no further keyframe will be yielded.
        """
        self._packets.check_times()
        try:
            keyframe: TimedPacket | None = self._keyframe(start_seconds)
            while keyframe is not None:
                yield keyframe.seconds, self._decode(keyframe)
                keyframe = self._next_keyframe(end_seconds)
        except TimesUnknown:
            self._current = None
            raise

    def _next_keyframe(self, end_seconds: float) -> TimedPacket | None:
        while not self._later and (read := self._packets.read()) is not None:
            if _is_keyframe(read):
                self._later.append(read)
        if not self._later or self._later[0].seconds >= end_seconds:
            return None
        self._current = self._later.popleft()
        self._last_seconds = self._current.seconds
        return self._current

    def _keyframe(self, seconds: float) -> TimedPacket:
        goes_back = seconds < self._last_seconds
        if self._current is None or goes_back or self._packets.is_far_ahead(seconds):
            first = self._packets.place(seconds)
            self._current = None
            self._later = deque([first] if first is not None and _is_keyframe(first) else [])
        self._last_seconds = seconds
        while self._packets.read_up_to_seconds <= seconds or not (self._current or self._later):
            read = self._packets.read()
            if read is None:
                break
            if _is_keyframe(read):
                self._later.append(read)
        while self._later and (self._current is None or self._later[0].seconds <= seconds):
            self._current = self._later.popleft()
        if self._current is None:
            raise TimesUnknown  # there are no keyframes at all
        return self._current

    def _decode(self, keyframe: TimedPacket) -> TimedFrame | None:
        if self._decoded is not None and self._decoded.pts == keyframe.pts:
            return self._decoded
        codec = self._packets.codec
        codec.flush_buffers()
        try:
            own, held_back = self._packets.decode(keyframe), decode(codec, None)
        finally:
            codec.flush_buffers()
        if own is None or held_back is None:
            self._damage.add(keyframe.seconds)
            return None
        for frame in (*own, *held_back):
            if frame.pts == keyframe.pts and frame.key_frame:
                self._decoded = TimedFrame(frame, keyframe.pts, self._packets.time_base)
                return self._decoded
        return None  # a mere point of recovery, from which pictures become whole bit by bit


def _is_keyframe(read: TimedPacket) -> bool:
    return read.is_keyframe and read.is_shown
