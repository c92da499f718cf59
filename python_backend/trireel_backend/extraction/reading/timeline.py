# SPDX-License-Identifier: Apache-2.0
"""When a file's frames come on screen, by its table of frames or by all of its packets."""

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from trireel_backend.extraction.reading.clock import Clock
from trireel_backend.extraction.reading.opening import OpenedVideo, frame_rate, nominal_rate
from trireel_backend.extraction.reading.packets import CONFIGURATION
from trireel_backend.plan import LEAST_STILL_SECONDS, Stills

# Its duration comes from a table of all frames; elsewhere it is an estimate from a few times.
DEMUXER_WITH_FRAME_TABLE = "mov,mp4,m4a,3gp,3g2,mj2"
# Reading all packets of a file takes a hundredth of the time that decoding it does. Of a larger
# file it would hold up the first answer.
MOST_READ_BYTES = 2**30


@dataclass
class Packets:
    """Facts of all packets of a file, from the position at which it was opened on."""

    seconds: list[float] = field(default_factory=list)
    """PTS of the video's frames, as they are stored."""
    end_seconds: float | None = None
    """End of the last frame; None if the stream states no times."""
    sound_end_seconds: float = float("-inf")
    last_seconds: float = float("-inf")
    """End of the last packet of all streams."""
    last_byte: int = 0
    """Where the last packet of all streams ends in the file."""
    count: int = 0
    """Packets of the video that are not empty."""
    has_restarts: bool = False
    """Times of the video begin again within the file, and were made to go on."""
    first_keyframe_seconds: float | None = None
    begins_midway: bool = False
    """The first frame is not a keyframe, but another one is."""
    is_cut_up: bool = False
    """An edit list leaves out something in the middle."""
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
    found, clock = Packets(), Clock(*opened)
    lengths = _Lengths(opened)
    for packet in container.demux():
        is_video = packet.stream_index == stream.index
        if is_video:
            clock.correct(packet)
            found.count += packet.size > 0
        found.last_byte = max(found.last_byte, (packet.pos or 0) + packet.size)
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.time_base is None:
            continue
        packet_end = float(time * packet.time_base + lengths.of(packet, is_video))
        found.last_seconds = max(found.last_seconds, packet_end)
        if is_video:
            _add(found, packet, float(time * packet.time_base), packet_end)
        elif packet.stream.type == "audio":
            found.sound_end_seconds = max(found.sound_end_seconds, packet_end)
    if found.seconds:
        standing_end = max(found.seconds) + lengths.last_seconds
        found.end_seconds = max(found.end_seconds or standing_end, standing_end)
        found.last_seconds = max(found.last_seconds, found.end_seconds)
    found.has_restarts = clock.restarts > 0
    found.begins_midway = (
        found.begins_midway
        and found.first_keyframe_seconds is not None
        and not lengths.is_by_decoding_time  # an edit list may begin anywhere
    )
    return found


def _add(found: Packets, packet: "Packet[Any]", seconds: float, end_seconds: float) -> None:
    if packet.has_sidedata(CONFIGURATION):
        found.has_configurations = True
    if packet.is_discard:
        found.is_cut_up = found.is_cut_up or len(found.seconds) > 0
        return
    found.end_seconds = max(end_seconds, found.end_seconds or end_seconds)
    if packet.size == 0:
        return
    if packet.is_keyframe and found.first_keyframe_seconds is None:
        found.first_keyframe_seconds = seconds
    found.begins_midway = found.begins_midway or not (found.seconds or packet.is_keyframe)
    found.seconds.append(seconds)


class _Lengths:
    """How long packets last."""

    def __init__(self, opened: OpenedVideo) -> None:
        container, stream = opened
        self._frame, self._usual = 1 / frame_rate(stream), 1 / nominal_rate(stream)
        self.is_by_decoding_time = container.format.name == DEMUXER_WITH_FRAME_TABLE
        self.last_seconds = 0.0
        """How long the last packet says that a frame stands, if it is a still."""

    def of(self, packet: "Packet[Any]", is_video: bool) -> Fraction:
        """Return a packet's length; transport streams state none, so a frame's time it is.

        MP4 states how far decoding times are apart. With B-frames the one before a gap comes with
        a packet that is shown behind it.
        """
        if not packet.duration or packet.time_base is None:
            return self._frame if is_video else Fraction(0)
        length = packet.duration * packet.time_base
        if not (is_video and self.is_by_decoding_time):
            return length
        is_still = length >= LEAST_STILL_SECONDS and not packet.is_discard
        self.last_seconds = float(length) if is_still else 0.0
        return min(length, self._usual) if is_still else length


def may_read_packets(container: InputContainer) -> bool:
    """Tell if a file is small enough to be read as a whole before its first frame."""
    return bool(container.size <= MOST_READ_BYTES)
