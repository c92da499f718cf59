# SPDX-License-Identifier: Apache-2.0
"""Making times go on if a file's begin again: two recordings in one file, a camera's new clock."""

from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from trireel_backend.extraction.reading.opening import nominal_rate

# Decoding times that fall by more are a new clock's; some containers state those of B-frames badly.
BACK_SECONDS, BACK_FRAMES, MOST_BACK_SECONDS = 0.5, 16, 2.0
DEMUXERS_THAT_WRAP = ("mpegts", "mpeg")
WRAP = 2**33  # of their clock of 90 kHz


class Clock:
    """Moves the times of a stream's packets, read in the order they are stored."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        assert stream.time_base is not None
        frame_seconds = 1 / float(nominal_rate(stream))
        back_seconds = min(MOST_BACK_SECONDS, max(BACK_SECONDS, BACK_FRAMES * frame_seconds))
        self._most_back = round(back_seconds / stream.time_base)
        self._wrap = WRAP if container.format.name in DEMUXERS_THAT_WRAP else None
        self._frame_duration = round(frame_seconds / stream.time_base)
        # An edit list may show a later part first; FFmpeg's times are then those of the list.
        self._is_edited = container.format.name.startswith("mov")
        self._last_dts: int | None = None  # as it is stored
        self._end_pts: int | None = None  # of all frames so far, moved
        self._offset = 0
        self.restarts = 0
        """How often the times have begun again."""

    def correct(self, packet: "Packet[Any]") -> None:
        """Move a packet's times so that they go on from the packets before it."""
        if packet.dts is not None:
            self._notice(packet.dts, packet.dts if packet.pts is None else packet.pts)
            self._last_dts = packet.dts
            packet.dts += self._offset
        if packet.pts is not None:
            packet.pts += self._offset
            end_pts = packet.pts + (packet.duration or self._frame_duration)
            self._end_pts = max(end_pts, self._end_pts or end_pts)

    def _notice(self, dts: int, pts: int) -> None:
        if self._last_dts is None:
            return
        step = forward = dts - self._last_dts
        if self._wrap is not None:  # FFmpeg takes a fall for a wrap, and puts 26 hours there
            step = (forward + self._wrap // 2) % self._wrap - self._wrap // 2
        if step >= -self._most_back or self._is_edited:
            self._offset += step - forward
            return
        self.restarts += 1
        if self._end_pts is not None:
            self._offset = self._end_pts - pts
