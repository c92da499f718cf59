# SPDX-License-Identifier: Apache-2.0
"""Whether two systems find the same objects on the same videos."""

from collections.abc import Sequence
from typing import Any

LEAST_IOU = 0.5
LEAST_SHARE = 0.8
Frame = dict[str, Any]


def compare(ours: Sequence[Sequence[Frame]], theirs: Sequence[Sequence[Frame]]) -> dict[str, Any]:
    """Return how many objects of two answers for the same videos are the same.

    The frames of the two systems may be one frame of the video apart.

    Raises:
        RuntimeError: if the numbers of frames differ, if there are no objects, or if fewer than
            80 % of the objects have a counterpart: the systems do not do the same work.
    """
    same = total = 0
    for mine, other in zip(ours, theirs, strict=True):
        if len(mine) != len(other):
            raise RuntimeError(f"the systems looked at {len(mine)} and {len(other)} frames")
        for a, b in zip(mine, other, strict=True):
            total += len(a["objects"]) + len(b["objects"])
            same += 2 * matches(a["objects"], b["objects"])
    if total == 0 or same / total < LEAST_SHARE:
        raise RuntimeError(f"{same} of {total} objects of the two systems are the same")
    frames = sum(len(video) for video in ours)
    return {"frames": frames, "objects": total, "same": same}


def matches(ours: Sequence[Frame], theirs: Sequence[Frame]) -> int:
    """Return how many objects have a counterpart of the same label with an IoU of at least 0.5."""
    left = list(theirs)
    count = 0
    for one in ours:
        candidates = [other for other in left if other["label"] == one["label"]]
        best = max(candidates, key=lambda other: iou(one["box"], other["box"]), default=None)
        if best is not None and iou(one["box"], best["box"]) >= LEAST_IOU:
            left.remove(best)
            count += 1
    return count


def iou(a: Sequence[float], b: Sequence[float]) -> float:
    """Return the intersection of two boxes divided by their union."""
    width = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    shared = width * height
    union = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)) - shared
    return shared / union if union > 0 else 0.0
