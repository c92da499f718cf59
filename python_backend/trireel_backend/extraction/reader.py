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
from pathlib import Path

import av
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.extraction.container import (
    DEMUXERS_WITHOUT_SEEK,
    open_container,
    seek,
    time_base,
    times_are_guessed,
    video_stream,
)
from trireel_backend.extraction.plain import FIRST_BACK_OFF_SECONDS, TimedFrame

SEEK_AHEAD_SECONDS = 10.0  # a time further on than this is sought, not read up to
MOST_AHEAD_PACKETS = 512  # read ahead of the decoder; only a GOP of many seconds has more
NEVER_SECONDS = float("-inf")
# Decoders that take `skip_frame` from packet to packet; others read it once, if at all.
SKIPPING_DECODERS = frozenset(
    ("h264", "hevc", "mpeg1video", "mpeg2video", "mpeg4", "vc1", "vp8", "vp9")
)


class TimesUnknown(Exception):
    """A packet has no PTS, so it cannot be told before decoding when it is on screen."""


@dataclass(frozen=True)
class _Ahead:
    """A packet that was read and not yet given to the decoder."""

    packet: "Packet[VideoStream]"
    pts: int
    seconds: float


@dataclass(frozen=True)
class _Wanted:
    """A slot and the PTS of the frame on screen at its time."""

    slot: int
    pts: int


class FrameReader:
    """Finds the frames on screen at times that mostly go forward.

    It keeps its place: a video's next chunk goes on where the last one ended, and what leads up to
    it is not decoded again.
    """

    def __init__(self, path: Path) -> None:
        """Open the file; raises NotAVideo."""
        self._path = path
        self._open()
        self._packets: Iterator[Packet[VideoStream]] = iter(())
        self._ahead: deque[_Ahead] = deque()
        self._fed: set[int] = set()  # PTS of packets given to the decoder, as far as of interest
        self._frames: dict[int, VideoFrame] = {}  # what came out of it, by PTS, likewise
        self._of_interest_from: int | None = None
        self._read_up_to_seconds = NEVER_SECONDS  # no packet to come is on screen before this
        self._last_seconds = NEVER_SECONDS
        self._placed = False
        self.damaged_packets = 0
        """Packets the decoder could make nothing of."""

    def close(self) -> None:
        """Close the file."""
        self._container.close()

    def _open(self) -> None:
        self._container = open_container(self._path)
        self._stream = video_stream(self._container)
        self._codec = self._stream.codec_context
        self._can_skip = self._codec.name in SKIPPING_DECODERS
        self._time_base = time_base(self._stream)
        self._seeks = self._container.format.name not in DEMUXERS_WITHOUT_SEEK

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last frame not after it.

        Before a video's first frame that is its first. None stands for a frame that did not come
        out of the decoder; only the plain way can tell what is on screen instead.

        Raises:
            TimesUnknown: the container states no PTS; of the times not yet answered none will be.
        """
        if times_are_guessed(self._container, self._stream):
            raise TimesUnknown
        waiting: deque[_Wanted] = deque()
        for slot, seconds in enumerate(targets_seconds):
            waiting.append(_Wanted(slot, self._feed_for(seconds)))
            yield from self._arrived(waiting)
        # The decoder holds the last frames back until it has seen some more packets.
        while waiting and self._feed_one_more():
            yield from self._arrived(waiting)
        if waiting:
            self._drain()
            self._placed = False
            yield from self._arrived(waiting)
        for wanted in waiting:
            yield wanted.slot, None

    def _arrived(self, waiting: deque[_Wanted]) -> Iterator[tuple[int, TimedFrame | None]]:
        while waiting:
            pts = waiting[0].pts
            self._forget_before(pts)
            if pts in self._frames:
                timed = TimedFrame(self._frames[pts], float(pts * self._time_base))
                yield waiting.popleft().slot, timed
            elif self._frames:  # a later one is out already: this one will not come
                yield waiting.popleft().slot, None
            else:
                return

    def _feed_for(self, seconds: float) -> int:
        """Give the decoder what the frame on screen at a time needs; return that frame's PTS."""
        far_ahead = self._seeks and seconds > self._read_up_to_seconds + SEEK_AHEAD_SECONDS
        if not self._placed or seconds < self._last_seconds or far_ahead:
            self._place(seconds)
        self._last_seconds = seconds
        self._read_ahead(seconds)
        pts = self._on_screen(seconds)
        self._feed_through(pts, wanted=True)
        return pts

    def _place(self, seconds: float) -> None:
        """Go to a keyframe from which the frame on screen at a time can be decoded."""
        if seconds < self._last_seconds:
            self._frames.clear()
            self._of_interest_from = None
        back_off_seconds = 0.0
        while True:
            self._drain()
            if not self._seeks and self._last_seconds != NEVER_SECONDS:
                self._container.close()
                self._open()
            self._ahead.clear()
            self._read_up_to_seconds = NEVER_SECONDS
            at_start = seek(self._container, self._stream, seconds - back_off_seconds)
            self._packets = self._container.demux(self._stream)
            self._placed = True
            first = self._read_one()
            while not at_start and first is not None and not first.packet.is_keyframe:
                self._ahead.clear()  # a seek by bytes ends anywhere
                first = self._read_one()
            if at_start or (first is not None and first.seconds <= seconds):
                return
            back_off_seconds = max(FIRST_BACK_OFF_SECONDS, back_off_seconds * 4)

    def _read_ahead(self, seconds: float) -> None:
        """Read until it is known which frame is on screen at a time."""
        while self._read_up_to_seconds <= seconds and (read := self._read_one()) is not None:
            if read.packet.is_keyframe and read.seconds <= seconds:
                self._skip_to(read)
            elif len(self._ahead) > MOST_AHEAD_PACKETS:
                self._feed_through(self._on_screen(seconds), wanted=False)

    def _read_one(self) -> _Ahead | None:
        """Read the next packet that will be on screen; None at the end."""
        for packet in self._packets:
            if packet.pts is None:
                if packet.size == 0:
                    return None  # what PyAV sends at the end
                raise TimesUnknown
            if packet.dts is not None:
                # No frame is shown before it is decoded, and decoding times only go up.
                self._read_up_to_seconds = float(packet.dts * self._time_base)
            read = _Ahead(packet, packet.pts, float(packet.pts * self._time_base))
            self._ahead.append(read)
            return read
        return None

    def _on_screen(self, seconds: float) -> int:
        """Return the PTS of the frame on screen at a time, among all that is known."""
        shown = [ahead.pts for ahead in self._ahead if not ahead.packet.is_discard]
        known = [*sorted(self._fed), *shown]
        if not known:
            raise TimesUnknown  # there are no packets at all
        before = [pts for pts in known if float(pts * self._time_base) <= seconds]
        return max(before) if before else known[0]

    def _skip_to(self, keyframe: _Ahead) -> None:
        """Leave out the packets before a keyframe, where there are any."""
        if len(self._ahead) > 1:
            self._drain()
            self._ahead = deque([keyframe])

    def _feed_through(self, pts: int, *, wanted: bool) -> None:
        """Feed the packets up to the last one of a PTS; an unwanted one stays ahead itself."""
        positions = [index for index, ahead in enumerate(self._ahead) if ahead.pts == pts]
        count = 0 if not positions else positions[-1] + 1 if wanted else positions[0]
        for _ in range(count):
            ahead = self._ahead.popleft()
            self._feed(ahead, skip_unreferred=not (wanted and ahead.pts == pts))

    def _feed_one_more(self) -> bool:
        """Feed the next packet, in full: what comes out may be wanted by the next chunk."""
        if not self._ahead and self._read_one() is None:
            return False
        self._feed(self._ahead.popleft(), skip_unreferred=False)
        return True

    def _feed(self, ahead: _Ahead, *, skip_unreferred: bool) -> None:
        if self._can_skip:
            self._codec.skip_frame = "NONREF" if skip_unreferred else "DEFAULT"
        if not ahead.packet.is_discard:
            self._fed.add(ahead.pts)
        try:
            self._keep(self._codec.decode(ahead.packet))
        except av.error.FFmpegError:
            self.damaged_packets += 1

    def _drain(self) -> None:
        """Take out what the decoder still holds, and make it ready for a keyframe."""
        if self._fed:
            try:
                self._keep(self._codec.decode(None))
            except av.error.FFmpegError:
                self.damaged_packets += 1
        self._codec.flush_buffers()
        self._fed.clear()

    def _keep(self, frames: Sequence[VideoFrame]) -> None:
        least = self._of_interest_from
        for frame in frames:
            if frame.pts is not None and (least is None or frame.pts >= least):
                self._frames[frame.pts] = frame

    def _forget_before(self, pts: int) -> None:
        self._of_interest_from = pts
        self._fed = {fed for fed in self._fed if fed >= pts}
        self._frames = {out: frame for out, frame in self._frames.items() if out >= pts}
