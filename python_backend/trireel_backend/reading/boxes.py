# SPDX-License-Identifier: Apache-2.0
"""Where text is: the boxes of a text map, and the lines that they make.

A text map gives each pixel the probability that it belongs to the core of a line, which is thinner
than the line: differentiable binarization (Liao et al., 2020). So boxes grow after they are found.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.reading.patches import patch_boxes


@dataclass(frozen=True)
class BoxRules:
    """Limits of boxes. The defaults are those with which RapidOCR uses the same models."""

    least_probability: float = 0.3
    """Probability above which a pixel belongs to a line."""
    least_score: float = 0.5
    """Mean probability that a box must have at least."""
    growth: float = 1.6
    """Factor of area / perimeter by which a box grows on each side."""
    least_side_px: int = 3
    """Shortest side of a box before it grows."""
    most_boxes: int = 1000
    """Number of boxes in a picture; further ones are dropped."""


@dataclass(frozen=True)
class TextBoxes:
    """Boxes of lines in a picture, from the top to the bottom and from left to right."""

    boxes: NDArray[np.int32]
    """[n, 4] x1 y1 x2 y2 in pixels; x2 and y2 are outside."""
    scores: NDArray[np.float32]
    """[n] mean probability, 0 to 1."""

    def __len__(self) -> int:
        """Return the number of boxes."""
        return len(self.boxes)


def text_boxes(
    text_map: NDArray[np.uint8], size: tuple[int, int] | None = None, rules: BoxRules | None = None
) -> TextBoxes:
    """Find the lines of a text map: upright boxes, one for each patch of probable pixels.

    Args:
        text_map: [H, W] probability * 255, as the model `text_detector` returns it.
        size: (height, width) of the picture without padding; None if the map has no padding.
        rules: limits; None for the defaults.
    """
    rules = rules or BoxRules()
    height, width = size or text_map.shape
    inside = text_map[:height, :width]
    # A mask of 2 x 2 pixels joins patches that one pixel separates.
    mask = inside > rules.least_probability * 255
    mask[1:] |= mask[:-1].copy()
    mask[:, 1:] |= mask[:, :-1].copy()
    found = np.minimum(patch_boxes(mask), [width, height, width, height])
    found = found[np.min(found[:, 2:] - found[:, :2], axis=1) >= rules.least_side_px]
    found = found[: rules.most_boxes].astype(np.int32)
    scores = _mean_probabilities(inside, found)
    found, scores = found[scores >= rules.least_score], scores[scores >= rules.least_score]
    grown = _grown(found, rules.growth, height, width)
    return _in_reading_order(grown, scores)


def joined_lines(found: TextBoxes, most_gap: float = 1.0) -> TextBoxes:
    """Join boxes that lie beside each other in a line: a detector may split a line at wide gaps.

    Args:
        found: boxes of one picture.
        most_gap: widest gap between two boxes, as a factor of the lower one's height.
    """
    groups: list[list[int]] = []
    for index in np.argsort(found.boxes[:, 0], kind="stable"):
        box = found.boxes[index]
        for group in groups:
            if _continues(_around(found.boxes[group]), box, most_gap):
                group.append(int(index))
                break
        else:
            groups.append([int(index)])
    if not groups:
        return found
    boxes = np.stack([_around(found.boxes[group]) for group in groups])
    scores = np.array([found.scores[group].min() for group in groups], np.float32)
    return _in_reading_order(boxes, scores)


def _mean_probabilities(
    text_map: NDArray[np.uint8], boxes: NDArray[np.int32]
) -> NDArray[np.float32]:
    means = [text_map[y1:y2, x1:x2].mean() / 255 for x1, y1, x2, y2 in boxes.tolist()]
    return np.array(means, np.float32)


def _grown(boxes: NDArray[np.int32], growth: float, height: int, width: int) -> NDArray[np.int32]:
    sides = (boxes[:, 2:] - boxes[:, :2]).astype(np.float64)
    distances = growth * sides.prod(axis=1) / np.maximum(2 * sides.sum(axis=1), 1)
    steps = np.rint(distances)[:, None] * [-1, -1, 1, 1]
    grown = np.clip(boxes + steps, 0, [width, height, width, height])
    return np.asarray(grown, np.int32)


def _continues(line: NDArray[np.int32], box: NDArray[np.int32], most_gap: float) -> bool:
    """Return whether a box stands in the same row as a line, close behind it."""
    heights = (line[3] - line[1], box[3] - box[1])
    shared = min(line[3], box[3]) - max(line[1], box[1])
    is_one_row = shared >= 0.6 * max(heights)
    return bool(is_one_row and box[0] - line[2] <= most_gap * min(heights))


def _around(boxes: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)])


def _in_reading_order(boxes: NDArray[np.int32], scores: NDArray[np.float32]) -> TextBoxes:
    """Sort boxes by rows. A box belongs to the row above if its middle lies in that row."""
    order: list[int] = []
    row: list[int] = []
    for index in np.argsort(boxes[:, 1], kind="stable"):
        middle = boxes[index, [1, 3]].mean()
        if row and middle > boxes[row[0], 3]:
            order += sorted(row, key=lambda place: int(boxes[place, 0]))
            row = []
        row.append(int(index))
    order += sorted(row, key=lambda place: int(boxes[place, 0]))
    return TextBoxes(boxes[order], scores[order])
