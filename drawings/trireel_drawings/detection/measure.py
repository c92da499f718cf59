# SPDX-License-Identifier: Apache-2.0
"""Measures a detector on held-out drawings."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trireel_drawings.detection.average_precision import Found, average_precisions
from trireel_drawings.detection.model import load_saved
from trireel_drawings.detection.pictures import LABELS, Pictures, plain_pictures
from trireel_drawings.detection.train import to_pixels
from trireel_drawings.scenes.scene import HELD_OUT_SEED

HELD_OUT_PICTURES = 440  # eight of every kind of scene
FRAMES_AT_ONCE = 20

Detect = Callable[[NDArray[np.uint8]], list[Found]]
"""Function from frames [N, H, W, 3] to the detections of each."""


@dataclass(frozen=True)
class Measured:
    """Accuracy on held-out pictures."""

    ap50: dict[str, float]
    """Average precision of each class that the pictures show, 0 to 1."""
    pictures: int
    """Number of pictures."""

    @property
    def mean(self) -> float:
        """Return the mean of the classes."""
        return float(np.mean(list(self.ap50.values())))


def held_out(count: int = HELD_OUT_PICTURES, step: int = 1) -> Pictures:
    """Draw pictures of scenes that no training saw."""
    return plain_pictures(HELD_OUT_SEED, count, step)


def measure(detect: Detect, pictures: Pictures) -> Measured:
    """Return how well a function detects the things of the pictures."""
    found: list[Found] = []
    for at in range(0, len(pictures.frames), FRAMES_AT_ONCE):
        found += detect(pictures.frames[at : at + FRAMES_AT_ONCE])
    precisions = average_precisions(found, pictures.truths)
    return Measured({LABELS[label]: ap for label, ap in precisions.items()}, len(found))


def detect_with(folder: Path) -> Detect:
    """Return a function that detects with the saved checkpoint of a folder."""
    model = load_saved(folder)

    def detect(frames: NDArray[np.uint8]) -> list[Found]:
        with torch.no_grad():
            answer = model(pixel_values=to_pixels(frames))
        scores, classes = answer.logits.sigmoid().max(dim=-1)
        middle, half = answer.pred_boxes[..., :2], answer.pred_boxes[..., 2:] / 2
        boxes = torch.cat([middle - half, middle + half], dim=-1)
        return [
            Found(box.numpy(), score.numpy(), label.numpy().astype(np.int32))
            for box, score, label in zip(boxes, scores, classes, strict=True)
        ]

    return detect
