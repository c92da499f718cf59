# SPDX-License-Identifier: Apache-2.0
"""Average precision of detections, as COCO measures it for one threshold of the overlap."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_drawings.detection.pictures import Truth
from trireel_schema.detections import box_overlaps

RECALLS = np.linspace(0, 1, 101)
"""Recalls at which the precision is read."""


@dataclass(frozen=True)
class Found:
    """The detections of one picture."""

    boxes: NDArray[np.float32]
    """[K, 4] left, top, right and bottom as fractions of the picture."""
    scores: NDArray[np.float32]
    """[K] 0 to 1."""
    labels: NDArray[np.int32]
    """[K] indices of classes."""


def average_precisions(
    found: Sequence[Found], truths: Sequence[Truth], least_overlap: float = 0.5
) -> dict[int, float]:
    """Return the average precision (0 to 1) of each class that the pictures show.

    In each picture the best detection is matched first, to the free box of its class that it
    overlaps most. A detection of a hidden thing counts neither as right nor as wrong.
    """
    classes = sorted({int(label) for truth in truths for label in truth.labels[~truth.hidden]})
    return {label: _of_class(found, truths, label, least_overlap) for label in classes}


def _of_class(
    found: Sequence[Found], truths: Sequence[Truth], label: int, least_overlap: float
) -> float:
    scores: list[float] = []
    right: list[bool] = []
    wanted = 0
    for detections, truth in zip(found, truths, strict=True):
        mine, theirs = detections.labels == label, truth.labels == label
        hidden = truth.hidden[theirs]
        wanted += int((~hidden).sum())
        order = np.argsort(-detections.scores[mine], kind="stable")
        boxes = detections.boxes[mine][order]
        matches = _match(box_overlaps(boxes, truth.boxes[theirs]), hidden, least_overlap)
        counted = [index for index, match in enumerate(matches) if match is not None]
        scores.extend(detections.scores[mine][order][counted].tolist())
        right.extend(bool(matches[index]) for index in counted)
    return _area(np.array(scores), np.array(right, np.bool_), wanted)


def _match(
    overlap: NDArray[np.float64], hidden: NDArray[np.bool_], least_overlap: float
) -> list[bool | None]:
    """Return for each detection True, False, or None if it found a hidden thing."""
    free = np.ones(overlap.shape[1], bool)
    matches: list[bool | None] = []
    for row in overlap:
        match: bool | None = False
        for candidates in (free & ~hidden, hidden):  # a hidden thing only if no other one fits
            reach = np.where(candidates, row, 0.0)
            best = int(reach.argmax()) if len(reach) else -1
            if best >= 0 and reach[best] >= least_overlap:
                free[best] = False
                match = None if hidden[best] else True
                break
        matches.append(match)
    return matches


def _area(scores: NDArray[np.float64], right: NDArray[np.bool_], wanted: int) -> float:
    if not len(scores):
        return 0.0
    hits = np.cumsum(right[np.argsort(-scores, kind="stable")])
    precision = hits / np.arange(1, len(hits) + 1)
    best_from_here = np.maximum.accumulate(precision[::-1])[::-1]
    places = np.searchsorted(hits / wanted, RECALLS, side="left")
    reached = places < len(hits)
    return float(np.where(reached, best_from_here[np.minimum(places, len(hits) - 1)], 0.0).mean())
