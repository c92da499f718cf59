# SPDX-License-Identifier: Apache-2.0
"""Decoding the frames on screen at given times, and as little else as possible.

Packets are read ahead of the decoder until it is known which of them is on screen at the wanted
time. What lies before the last keyframe that leads to it is never decoded; of the rest, frames that
no other refers to are skipped (`skip_frame = NONREF`), which leaves the others as they are, bit for
bit.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trireel_backend.extraction.reading.feeding import EARLIEST_PTS, FeedingReader
from trireel_backend.extraction.reading.full_decode import Damage, TimedFrame
from trireel_backend.extraction.reading.gaps import Gaps, Keep
from trireel_backend.extraction.reading.opening import OpenedVideo, VideoFile
from trireel_backend.extraction.reading.packets import (
    NEVER_SECONDS,
    TimedPacket,
    TimesUnknown,
)

MOST_AHEAD_PACKETS = 512  # read ahead of the decoder; only a GOP of many seconds has more


@dataclass(frozen=True)
class _Wanted:
    """A frame that is to come out of the decoder."""

    key: int
    """What it is wanted for: a slot, or its PTS."""
    pts: int


class FrameReader(FeedingReader):
    """Finds the frames on screen at times that mostly go forward.

    It keeps its position: a video's next chunk continues at the end of the last one, and the frames
    before it are not decoded again.
    """

    def __init__(self, file: VideoFile, damage: Damage, opened: OpenedVideo | None = None) -> None:
        """Take over an opened file, or open it; raises what `open_video` does."""
        super().__init__(file, damage, opened)
        self._ahead: deque[TimedPacket] = deque()
        self._last_seconds = NEVER_SECONDS
        self._keyframe_seconds = NEVER_SECONDS  # of the one that leads to what is decoded now
        self._placed = False
        self._all_from: float | None = None  # a time from which on no frame is skipped
        self._before_keyframe: int | None = None  # PTS of the last frame before the last one
        self._is_in_gap = False  # a frame before and a frame behind are wanted

    def frames_on_screen(
        self, targets_seconds: Sequence[float], *, keep: Keep | None = None
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last frame not after it.

        Before a video's first frame that is its first. None stands for a frame that did not come
        out of the decoder; only the plain way can tell what is on screen instead.

        Args:
            keep: keep what passes by between them, see `gaps`; it returns what is kept.

        Raises:
            TimesUnknown: the container states no PTS; of the times not yet answered none will be.
        """
        self._packets.check_times()
        self._all_from = None
        if (keep is None) != (self._keep_as is None):
            self._placed = False  # the gaps must know each packet
        self._keep_as = keep
        yield from self._in_order(self._wanted_on_screen(targets_seconds))

    def every_frame(
        self, start_seconds: float, end_seconds: float
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the frame on screen at the start, then each frame before the end, by PTS.

        Each comes with its PTS in seconds. None stands for a frame that did not come out of the
        decoder. Nothing is skipped, and the next call continues at the end of this one.

        Raises:
            TimesUnknown: the container states no PTS; no further frame will be yielded.
        """
        self._packets.check_times()
        for pts, timed in self._in_order(self._wanted_between(start_seconds, end_seconds)):
            yield self._packets.seconds(pts), timed

    def _wanted_on_screen(self, targets_seconds: Sequence[float]) -> Iterator["_Wanted"]:
        self._is_in_gap = False
        for slot, seconds in enumerate(targets_seconds):
            pts = self._feed_for(seconds)
            if slot == 0:
                self._damage.begin(self._keyframe_seconds)
            yield _Wanted(slot, pts)
            self._is_in_gap = True

    def _wanted_between(self, start_seconds: float, end_seconds: float) -> Iterator["_Wanted"]:
        self._all_from, self._keep_as = start_seconds, None
        pts: int | None = self._feed_for(start_seconds)
        self._damage.begin(self._keyframe_seconds)
        while pts is not None:
            yield _Wanted(pts, pts)
            pts = self._feed_next(pts, end_seconds)

    def _in_order(
        self, wanted_frames: Iterator["_Wanted"]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield the keys of wanted frames, and the frames as they come out of the decoder."""
        waiting: deque[_Wanted] = deque()
        while True:
            try:
                wanted = next(wanted_frames, None)
            except TimesUnknown:
                self._placed = False  # a packet has been read that nobody will decode
                raise
            if wanted is None:
                break
            waiting.append(wanted)
            yield from self._arrived(waiting)
        # The decoder holds the last frames back until it has seen some more packets.
        while waiting and self._feed_one_more():
            yield from self._arrived(waiting)
        if waiting:
            self._drain()
            self._placed = False
            yield from self._arrived(waiting)
        for wanted in waiting:
            yield self._missing(wanted)

    def _arrived(self, waiting: deque[_Wanted]) -> Iterator[tuple[int, TimedFrame | None]]:
        while waiting:
            pts = waiting[0].pts
            self._forget_before(pts)
            if pts in self._frames:
                timed = TimedFrame(self._frames[pts], pts, self._packets.time_base)
                yield waiting.popleft().key, timed
            elif self._frames:  # a later one is out already: this one will not come
                yield self._missing(waiting.popleft())
            else:
                return

    def _missing(self, wanted: _Wanted) -> tuple[int, None]:
        self._damage.add(self._packets.seconds(wanted.pts))
        return wanted.key, None

    def _feed_for(self, seconds: float) -> int:
        """Give the decoder what the frame on screen at a time needs; return that frame's PTS."""
        goes_back = seconds < self._last_seconds
        if not self._placed or goes_back or self._packets.is_far_ahead(seconds):
            self._place(seconds)
        self._last_seconds = seconds
        self._read_ahead(seconds)
        pts = self._on_screen(seconds)
        self._wanted.add(pts)
        self._interesting_from = pts
        self._feed_through(pts, wanted=True)
        return pts

    def _feed_next(self, pts: int, end_seconds: float) -> int | None:
        """Give the decoder what the frame after another one needs; return that frame's PTS.

        None if the next frame is not before the end.
        """
        following = self._following(pts)
        # No packet to come is on screen before the time that the reader has read up to.
        while (
            following is None or self._packets.read_up_to_seconds < self._packets.seconds(following)
        ) and len(self._ahead) <= MOST_AHEAD_PACKETS:
            if self._packets.read_up_to_seconds >= end_seconds:
                break
            read = self._packets.read()
            if read is None:
                break
            self._append(read)
            if read.is_shown and read.pts > pts:
                following = read.pts if following is None else min(following, read.pts)
        if following is None or self._packets.seconds(following) >= end_seconds:
            return None
        self._last_seconds = self._packets.seconds(following)
        self._wanted.add(following)
        self._interesting_from = following
        self._feed_through(following, wanted=True)
        return following

    def _following(self, pts: int) -> int | None:
        """Return the lowest PTS above another one, among all that is known."""
        known = [fed for fed in self._fed if fed > pts]
        known += [ahead.pts for ahead in self._ahead if ahead.is_shown and ahead.pts > pts]
        return min(known, default=None)

    def _place(self, seconds: float) -> None:
        """Go to a keyframe from which the frame on screen at a time can be decoded."""
        self._drain()
        if seconds < self._last_seconds:  # what came out lies ahead of all that is wanted
            self._frames.clear()
            self._wanted.clear()
            self._interesting_from = EARLIEST_PTS
        # Others are decoded again, and a later one must not tell that this one will not come.
        self._frames = {out: frame for out, frame in self._frames.items() if out in self._wanted}
        first = self._packets.place(seconds)
        self.gaps = Gaps()
        self._before_keyframe = None
        self._ahead.clear()
        if first is not None:
            self._append(first)
        self._keyframe_seconds = NEVER_SECONDS if first is None else first.seconds
        self._placed = True

    def _read_ahead(self, seconds: float) -> None:
        """Read until it is known which frame is on screen at a time."""
        while self._packets.read_up_to_seconds <= seconds and (read := self._packets.read()):
            is_hint = self._append(read) and self._is_in_gap
            if read.is_keyframe and (is_hint or read.seconds > seconds):
                self._stay_before(read)
            elif read.is_keyframe:
                self._skip_to(read)
            elif len(self._ahead) > MOST_AHEAD_PACKETS:
                self._interesting_from = self._on_screen(seconds)
                self._feed_through(self._interesting_from, wanted=False)

    def _on_screen(self, seconds: float) -> int:
        """Return the PTS of the frame on screen at a time, among all that is known."""
        shown = [ahead.pts for ahead in self._ahead if ahead.is_shown]
        known = [*sorted(self._fed), *shown]
        if not known:
            raise TimesUnknown  # there are no packets at all
        before = [pts for pts in known if self._packets.seconds(pts) <= seconds]
        return max(before) if before else known[0]

    def _skip_to(self, keyframe: TimedPacket) -> None:
        """Leave out the packets before a keyframe, if there are any."""
        self._keyframe_seconds = keyframe.seconds
        if len(self._ahead) > 1:
            self._drain()
            self._ahead = deque([keyframe])

    def _feed_through(self, pts: int, *, wanted: bool) -> None:
        """Feed the packets up to the last one of a PTS; an unwanted one stays ahead itself."""
        positions = [index for index, ahead in enumerate(self._ahead) if ahead.pts == pts]
        count = 0 if not positions else positions[-1] + 1 if wanted else positions[0]
        for _ in range(count):
            ahead = self._ahead.popleft()
            is_last = wanted and ahead.pts == pts
            self._feed(ahead, skip_unreferred=not is_last and not self._takes_all(ahead))

    def _takes_all(self, ahead: TimedPacket) -> bool:
        if ahead.pts == self._before_keyframe:
            self._before_keyframe = None
            return True
        return self._all_from is not None and ahead.seconds >= self._all_from

    def _append(self, read: TimedPacket) -> bool:
        """Append a packet; return whether it may begin a scene, if gaps are kept."""
        self._ahead.append(read)
        return self._keep_as is not None and self.gaps.note(read)

    def _stay_before(self, keyframe: TimedPacket) -> None:
        """Decode the frames before a keyframe too, and the last of them whatever it is."""
        if self._keep_as is None or self._before_keyframe is not None:
            return
        shown = [ahead.pts for ahead in self._ahead if ahead.is_shown and ahead is not keyframe]
        self._before_keyframe = max(shown, default=None)
        if self._before_keyframe is not None:
            self.gaps.want(self._before_keyframe)

    def _feed_one_more(self) -> bool:
        """Feed the next packet; what lies behind all that is wanted may be so by the next chunk."""
        if not self._ahead:
            read = self._packets.read()
            if read is None:
                return False
            self._append(read)
        ahead = self._ahead.popleft()
        is_passed = ahead.pts < self._interesting_from and not self._takes_all(ahead)
        self._feed(ahead, skip_unreferred=is_passed)
        return True
