# SPDX-License-Identifier: Apache-2.0
"""Which frames between two probes that differ are of use, at the least cost.

Frames that others refer to are decoded anyway, and are enough to see a gradual transition. Only if
the largest step lies between two of them that are not neighbours in the video, the frames between
these are decoded too. So the frame behind the largest step is the first of its scene.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from trireel_backend.extraction.frame_source import FrameSource
from trireel_backend.extraction.reading.gaps import Keep, Kept, PassedPacket
from trireel_backend.scenes.changes import largest_step


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
    keep: Keep,
    keyframes_only: bool,
) -> list[Thumbnail]:
    """Return the frames of use between two probes that differ, in order.

    Args:
        draw: draws what is kept of the frame of a PTS.
        keep: returns what is kept of a frame that is decoded again.
        keyframes_only: the frames of the video are its keyframes.
    """
    packets = None if keyframes_only else source.gap_packets((first.pts, last.pts))
    keyframes = [packet for packet in packets or () if packet.is_keyframe]
    if packets is None or len(keyframes) > 1:  # the reader jumps from keyframe to keyframe
        return [draw(*frame) for frame in _between(source, first, last, keyframes_only)]
    if keyframes:
        known = [
            *_before_keyframe(source, first, packets, keyframes[0], keep),
            *_from_keyframe(source, keyframes[0], first.time_base, last, keep),
        ]
    else:
        known = source.passed((first.pts, last.pts), (first.seconds, last.seconds), keep)
    listed = [first, *(draw(*frame) for frame in known), last]
    after = largest_step(np.stack([thumbnail.pixels for thumbnail in listed]))
    step = listed[after - 1], listed[after]
    if any(step[0].pts < packet.pts < step[1].pts for packet in packets):
        between = _between(source, *step, keyframes_only=False)
        listed[after:after] = [draw(*frame) for frame in between]
    return listed[1:-1]


def _between(
    source: FrameSource, first: Thumbnail, last: Thumbnail, keyframes_only: bool
) -> list[tuple[int, Kept]]:
    pts, seconds = (first.pts, last.pts), (first.seconds, last.seconds)
    return [(timed.pts, timed.frame) for timed in source.gap(pts, seconds, keyframes_only)]


def _from_keyframe(
    source: FrameSource, keyframe: PassedPacket, time_base: Fraction, last: Thumbnail, keep: Keep
) -> list[tuple[int, Kept]]:
    """Return the frames from a keyframe on that were decoded on the way to a probe."""
    if keyframe.pts == last.pts:
        return []
    seconds = float(keyframe.pts * time_base), last.seconds
    return source.passed((keyframe.pts - 1, last.pts), seconds, keep)


def _before_keyframe(
    source: FrameSource,
    first: Thumbnail,
    packets: Sequence[PassedPacket],
    keyframe: PassedPacket,
    keep: Keep,
) -> list[tuple[int, Kept]]:
    """Return the frames before a keyframe that others refer to, and the last one before it."""
    before = [packet.pts for packet in packets if packet.pts < keyframe.pts]
    if not before:
        return []
    seconds = first.seconds, float(before[-1] * first.time_base)
    return source.passed_before((first.pts, before[-1]), seconds, keyframe.pts, keep)
