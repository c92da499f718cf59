# SPDX-License-Identifier: Apache-2.0
"""Frames between frames on screen that pass by in decoding, kept until somebody needs them.

Most gaps are decoded without the frames that no other refers to. If packets hint at a change of the
picture, nothing in the gap is skipped, so that all its frames pass by.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from av.video.frame import VideoFrame

from trireel_backend.extraction.reading.packets import TimedPacket

MOST_KEPT_BYTES = 128 * 2**20
BYTES_PER_PIXEL = 2
HINT_RATIO = 3  # of the sizes of two anchors
KEYFRAME_SHARE = 0.25  # of the last keyframe's size; a cut is coded like a keyframe
KEYFRAME_RATIO = 1.1  # of the sizes of two keyframes
LONG_GOP_GAPS = 3  # of a GOP that is cheaper to go on with than to decode again


@dataclass(frozen=True)
class _Gap:
    """A gap in which no frame is skipped."""

    first_pts: int
    """PTS of the frame on screen before it."""
    last_pts: int
    """PTS of the frame on screen behind it."""
    between: frozenset[int]
    """PTS of the frames in it."""


class Gaps:
    """Decides which gaps are decoded whole, and keeps their frames."""

    def __init__(self) -> None:
        self._kept: dict[int, VideoFrame] = {}
        self._kept_bytes = 0
        self._gaps: list[_Gap] = []
        self.forget_packets()

    def forget_packets(self) -> None:
        """Forget the packets that were read: the next packet does not follow them."""
        self._hints: list[tuple[int, int]] = []  # PTS of an anchor, and of the large one behind it
        self._anchor_pts: int | None = None
        self._anchor_bytes = 0
        self._gop_packets = 0
        self._keyframe_bytes = 0
        self._last_gop_packets = 0

    def note(self, read: TimedPacket, ahead_packets: int) -> bool:
        """Look at the next packet; return whether it is a keyframe that hints at a change.

        An anchor is a packet that is shown after all packets before it. A hint is an anchor of
        several times the size of the last one and not much smaller than a keyframe. It is also a
        keyframe of another size than the last one, or one that ends a long GOP at an unusual place.

        Args:
            ahead_packets: packets that are read and not yet decoded.
        """
        size_bytes = read.packet.size
        is_hint = read.is_keyframe and self._is_unusual(size_bytes, ahead_packets)
        self._gop_packets += 1
        if self._anchor_pts is not None and read.pts <= self._anchor_pts:
            return False
        is_large = (
            not read.is_keyframe
            and size_bytes >= HINT_RATIO * self._anchor_bytes > 0
            and size_bytes >= KEYFRAME_SHARE * self._keyframe_bytes
        )
        if self._anchor_pts is not None and (is_hint or is_large):
            self._hints.append((self._anchor_pts, read.pts))
        self._anchor_pts = read.pts
        if not read.is_keyframe:
            self._anchor_bytes = size_bytes
        return is_hint

    def _is_unusual(self, size_bytes: int, ahead_packets: int) -> bool:
        """Return whether a keyframe is of another size than the last, or ends an unusual GOP."""
        sizes = sorted((size_bytes, self._keyframe_bytes))
        is_of_other_size = sizes[1] > KEYFRAME_RATIO * sizes[0]
        is_usual = self._gop_packets == self._last_gop_packets
        is_long = self._gop_packets >= LONG_GOP_GAPS * ahead_packets
        is_first = self._keyframe_bytes == 0
        self._last_gop_packets, self._gop_packets = self._gop_packets, 0
        self._keyframe_bytes = size_bytes
        return not is_first and (is_of_other_size or (is_long and not is_usual))

    def enter(self, first_pts: int, last_pts: int, known_pts: Iterable[int]) -> bool:
        """Decide whether the frames between two are decoded whole; return it.

        Args:
            known_pts: PTS of all frames in between, and perhaps of others.
        """
        between = frozenset(pts for pts in known_pts if first_pts < pts < last_pts)
        is_hinted = any(before < last_pts and pts > first_pts for before, pts in self._hints)
        if between and not is_hinted:
            return False
        self._gaps.append(_Gap(first_pts, last_pts, between))
        return True

    def covers(self, pts: int) -> bool:
        """Return whether a frame lies in a gap that is decoded whole."""
        return any(gap.first_pts < pts < gap.last_pts for gap in self._gaps)

    def keep(self, frames: Mapping[int, VideoFrame]) -> None:
        """Keep those of the frames, by PTS, that lie in a gap that is decoded whole."""
        for pts, frame in frames.items():
            size_bytes = frame.width * frame.height * BYTES_PER_PIXEL
            has_room = self._kept_bytes + size_bytes <= MOST_KEPT_BYTES
            if has_room and pts not in self._kept and self.covers(pts):
                self._kept[pts] = frame
                self._kept_bytes += size_bytes

    def take(self, first_pts: int, last_pts: int) -> Sequence[tuple[int, VideoFrame]] | None:
        """Return all frames between two with their PTS, in order; None if one is not kept."""
        between: set[int] = set()
        reached = first_pts
        for gap in self._gaps:
            if gap.first_pts == reached and gap.last_pts <= last_pts:
                between |= gap.between | {gap.last_pts} - {last_pts}
                reached = gap.last_pts
        if reached != last_pts or not between <= self._kept.keys():
            return None
        return [(pts, self._kept[pts]) for pts in sorted(between)]

    def release(self, pts: int) -> None:
        """Release what lies before a frame."""
        if not self._gaps and len(self._hints) < HINT_RATIO:
            return
        self._gaps = [gap for gap in self._gaps if gap.last_pts > pts]
        self._hints = [hint for hint in self._hints if hint[1] > pts]
        self._kept = {out: frame for out, frame in self._kept.items() if out > pts}
        self._kept_bytes = sum(
            frame.width * frame.height * BYTES_PER_PIXEL for frame in self._kept.values()
        )
