# SPDX-License-Identifier: Apache-2.0
"""Which frames between two probes that differ are of use, at the least cost.

Encoders begin a scene with a keyframe. So if the largest step is that from the frame before a
keyframe to the keyframe, these two are enough, and both are decoded on the way. Otherwise all
frames between the probes are decoded by going back.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.extraction.frame_source import FrameSource
from trireel_backend.extraction.reading.gaps import Kept, PassedPacket
from trireel_backend.scenes.changes import is_change, largest_step


@dataclass(frozen=True)
class Thumbnail:
    """The picture of a frame, which it does not keep in memory."""

    pts: int
    """PTS of the frame, in units of the time base."""
    seconds: float
    """PTS of the frame in seconds."""
    time_base: Fraction
    """Unit of the PTS in seconds."""
    pixels: NDArray[np.uint8]
    """[H, W, 3] RGB."""


def gap_frames(
    source: FrameSource,
    first: Thumbnail,
    last: Thumbnail,
    draw: Callable[[int, Kept], Thumbnail],
    *,
    keyframes_only: bool,
) -> list[Thumbnail]:
    """Return the frames of use between two probes that differ, in order.

    Args:
        draw: draws what is kept of the frame of a PTS.
        keyframes_only: the frames of the video are its keyframes.
    """
    packets = None if keyframes_only else source.gap_packets((first.pts, last.pts))
    keyframes = [packet for packet in packets or () if packet.is_keyframe]
    if packets is not None and len(keyframes) == 1:
        begin = _at_keyframe(source, first, packets, keyframes[0].pts, last, draw)
        if begin is not None:
            return begin
    return _between(source, first, last, draw, keyframes_only=keyframes_only)


def _at_keyframe(
    source: FrameSource,
    first: Thumbnail,
    packets: Sequence[PassedPacket],
    keyframe_pts: int,
    last: Thumbnail,
    draw: Callable[[int, Kept], Thumbnail],
) -> list[Thumbnail] | None:
    """Return a keyframe and the frame before it, None if the largest step is elsewhere."""

    def found(pts: int) -> Thumbnail | None:
        if pts in (first.pts, last.pts):
            return first if pts == first.pts else last
        kept = source.kept(pts)
        if kept is None:
            timed = source.decoded_again(pts, float(pts * first.time_base))
            kept = None if timed is None else timed.frame
        return None if kept is None else draw(pts, kept)

    before_pts = max((packet.pts for packet in packets if packet.pts < keyframe_pts), default=None)
    keyframe = found(keyframe_pts)
    if keyframe is None or not is_change(first.pixels, keyframe.pixels):
        return None
    before = found(first.pts if before_pts is None else before_pts)
    if before is None:
        return None
    listed = [first, before, keyframe, last]
    if largest_step(np.stack([thumbnail.pixels for thumbnail in listed])) != 2:
        return None
    return [thumbnail for thumbnail in (before, keyframe) if first.pts < thumbnail.pts < last.pts]


def _between(
    source: FrameSource,
    first: Thumbnail,
    last: Thumbnail,
    draw: Callable[[int, Kept], Thumbnail],
    *,
    keyframes_only: bool,
) -> list[Thumbnail]:
    pts, seconds = (first.pts, last.pts), (first.seconds, last.seconds)
    return [draw(timed.pts, timed.frame) for timed in source.gap(pts, seconds, keyframes_only)]
