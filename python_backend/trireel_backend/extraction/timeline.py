# SPDX-License-Identifier: Apache-2.0
"""When a file's frames come on screen, by its table of frames or by all of its packets."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trireel_backend.extraction.clock import Clock
from trireel_backend.extraction.container import OpenedVideo, frame_rate, time_base
from trireel_backend.extraction.packets import CONFIGURATION
from trireel_backend.plan import LEAST_STILL_SECONDS, Stills

# Reading all packets of a file takes a hundredth of the time that decoding it does. Of a larger
# file it would hold up the first answer.
MOST_READ_BYTES = 2**30


@dataclass
class Packets:
    """What all packets of a file say, from where it was opened on."""

    seconds: list[float] = field(default_factory=list)
    """PTS of the video's frames, as they are stored."""
    end_seconds: float | None = None
    """End of the last frame; None if the stream states no times."""
    sound_end_seconds: float = float("-inf")
    last_seconds: float = float("-inf")
    """End of the last packet of all streams."""
    count: int = 0
    """Packets of the video that are not empty."""
    has_restarts: bool = False
    """Times of the video begin again within the file, and were made to go on."""
    has_configurations: bool = False
    """Parameter sets come with packets, and hold from there on."""

    def stills(self, end_seconds: float) -> Stills:
        """Return the frames that stand for long, the last one up to the end of the video."""
        times = np.unique(np.array(self.seconds))
        return stills_between(times, end_seconds)


def stills_between(times: NDArray[np.float64], end_seconds: float) -> Stills:
    """Return which frames stand for `LEAST_STILL_SECONDS` or more, of the ascending times [f]."""
    ends = np.append(times[1:], end_seconds)[: len(times)]
    before = np.insert(times[:-1], 0, -np.inf)[: len(times)]
    long = ends - times >= LEAST_STILL_SECONDS
    return Stills(before[long], times[long], ends[long])


def read_packets(opened: OpenedVideo) -> Packets:
    """Read a file up to its end, and decode nothing."""
    container, stream = opened
    found, clock, unit = Packets(), Clock(*opened), time_base(stream)
    for packet in container.demux():
        is_video = packet.stream_index == stream.index
        if is_video:
            clock.correct(packet)
            found.count += packet.size > 0
            if packet.has_sidedata(CONFIGURATION):
                found.has_configurations = True
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.time_base is None:
            continue
        packet_end = float(time * packet.time_base + _length(packet, stream, is_video))
        found.last_seconds = max(found.last_seconds, packet_end)
        if is_video:
            if packet.size > 0 and not packet.is_discard:
                found.seconds.append(float(time * unit))
            found.end_seconds = max(packet_end, found.end_seconds or float("-inf"))
        elif packet.stream.type == "audio":
            found.sound_end_seconds = max(found.sound_end_seconds, packet_end)
    found.has_restarts = clock.restarts > 0
    return found


def may_read_packets(container: InputContainer) -> bool:
    """Tell if a file is small enough to be read as a whole before its first frame."""
    return bool(container.size <= MOST_READ_BYTES)


def _length(packet: "Packet[Any]", stream: VideoStream, is_video: bool) -> Fraction:
    """Return how long a packet lasts; transport streams do not say, so a frame's time it is."""
    if packet.duration and packet.time_base is not None:
        return packet.duration * packet.time_base
    return 1 / frame_rate(stream) if is_video else Fraction(0)
