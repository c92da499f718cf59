# SPDX-License-Identifier: Apache-2.0
"""Making times go on if a file's begin again: two recordings in one file, a camera's new clock."""

from typing import Any

from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

RESTART_SECONDS = 0.5  # decoding times that fall by more are a new clock's
DEMUXERS_THAT_WRAP = ("mpegts", "mpeg")
WRAP = 2**33  # of their clock of 90 kHz


class Clock:
    """Moves the times of a stream's packets, read in the order they are stored."""

    def __init__(self, container: InputContainer, stream: VideoStream) -> None:
        assert stream.time_base is not None
        self._most_back = round(RESTART_SECONDS / stream.time_base)
        self._wrap = WRAP if container.format.name in DEMUXERS_THAT_WRAP else None
        self._last: int | None = None  # decoding time as it is stored
        self._duration = round(1 / stream.time_base / (stream.average_rate or 25))
        self._offset = 0
        self.restarts = 0
        """How often the times have begun again."""

    def correct(self, packet: "Packet[Any]") -> None:
        """Move a packet's times so that they go on from the packet before it."""
        if packet.dts is not None:
            self._offset += self._correction(packet.dts)
            self._last = packet.dts
            self._duration = packet.duration or self._duration
            packet.dts += self._offset
        if packet.pts is not None:
            packet.pts += self._offset

    def _correction(self, dts: int) -> int:
        if self._last is None:
            return 0
        step = forward = dts - self._last
        if self._wrap is not None:  # FFmpeg takes a fall for a wrap, and puts 26 hours there
            step = (forward + self._wrap // 2) % self._wrap - self._wrap // 2
        if step < -self._most_back:
            self.restarts += 1
            step = self._duration
        return step - forward
