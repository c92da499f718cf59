# SPDX-License-Identifier: Apache-2.0
"""What passes by between two frames on screen: the packets, and the frames around keyframes.

A keyframe at an unusual place may begin a scene, so it is kept, and the frame before it, which is
decoded for that. Which keyframes are unusual affects the cost alone: what is not kept is decoded
again if it is needed.
"""

from collections.abc import Callable
from typing import NamedTuple

from av.video.frame import VideoFrame

from trireel_backend.extraction.picture.rough import Sketch
from trireel_backend.extraction.reading.packets import TimedPacket

MOST_KEPT_BYTES = 128 * 2**20
BYTES_PER_PIXEL = 2
KEYFRAME_RATIO = 1.1  # of the sizes of two keyframes

Kept = VideoFrame | Sketch
Keep = Callable[[VideoFrame], Kept]
"""Returns what is kept of a frame: the frame itself, or less."""


class PassedPacket(NamedTuple):
    """A packet of a gap."""

    pts: int
    """PTS in units of the time base."""
    is_keyframe: bool
    """Whether decoding can begin here."""


class Gaps:
    """Keeps the packets and the frames that pass by, until they are released."""

    def __init__(self) -> None:
        self._packets: dict[int, PassedPacket] = {}
        self._frames: dict[int, Kept] = {}
        self._bytes = 0
        self._wanted: set[int] = set()  # PTS of frames to keep
        self._keyframe_bytes = 0
        self._gop_packets = 0
        self._last_gop_packets = 0

    def note(self, read: TimedPacket) -> bool:
        """Note the next packet; return whether it is a keyframe that may begin a scene.

        Encoders put keyframes at even distances and at changes.
        """
        may_begin = read.is_keyframe and self._is_unusual(read.packet.size)
        self._gop_packets += 1
        if read.is_keyframe:
            self.want(read.pts)
        if read.is_shown:
            self._packets[read.pts] = PassedPacket(read.pts, read.is_keyframe)
        return may_begin

    def _is_unusual(self, size_bytes: int) -> bool:
        """Return whether a keyframe is of another size than the last, or ends another GOP."""
        sizes = sorted((size_bytes, self._keyframe_bytes))
        is_first = self._keyframe_bytes == 0
        is_usual = self._gop_packets == self._last_gop_packets
        self._last_gop_packets, self._gop_packets = self._gop_packets, 0
        self._keyframe_bytes = size_bytes
        return not is_first and (sizes[1] > KEYFRAME_RATIO * sizes[0] or not is_usual)

    def want(self, pts: int) -> None:
        """Note a frame to keep when it comes out of the decoder."""
        self._wanted.add(pts)

    def wants(self, pts: int) -> bool:
        """Return whether a frame is to be kept."""
        return pts in self._wanted

    def keep(self, pts: int, frame: Kept) -> None:
        """Keep a frame that came out of the decoder, if there is room."""
        size_bytes = _size_bytes(frame)
        if self._bytes + size_bytes <= MOST_KEPT_BYTES and pts not in self._frames:
            self._frames[pts] = frame
            self._bytes += size_bytes

    def packets(self, first_pts: int, last_pts: int) -> list[PassedPacket] | None:
        """Return the packets behind a frame up to another one by PTS, None if not all are known."""
        if first_pts not in self._packets or last_pts not in self._packets:
            return None
        within = (pts for pts in self._packets if first_pts < pts <= last_pts)
        return [self._packets[pts] for pts in sorted(within)]

    def kept(self, pts: int) -> Kept | None:
        """Return what is kept of a frame, None if it is not."""
        return self._frames.get(pts)

    def release(self, pts: int) -> None:
        """Release what lies before a frame."""
        for early in [other for other in self._packets if other < pts]:
            del self._packets[early]
        for early in [other for other in self._frames if other <= pts]:
            self._bytes -= _size_bytes(self._frames.pop(early))
        self._wanted = {other for other in self._wanted if other > pts}


def _size_bytes(frame: Kept) -> int:
    if isinstance(frame, Sketch):
        return frame.luma.nbytes + frame.u.nbytes + frame.v.nbytes
    return frame.width * frame.height * BYTES_PER_PIXEL
