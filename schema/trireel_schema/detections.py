# SPDX-License-Identifier: Apache-2.0
"""Known detections: pictures, and what the checkpoint itself finds in them in fp32.

`known_detections.npz` is written by the exporter. A server compares a detector with them before it
is ready, and the gate an engine. Rows are compared as sets, because detections of nearly the same
score may change places.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_schema.arrays import read_arrays_of_weights, require_shape
from trireel_schema.detector import DetectorMetadata
from trireel_schema.errors import DetectorDiffers

LEAST_COMPARED = 3
"""Detections of each picture that are compared, even if their scores are below the threshold."""


@dataclass(frozen=True)
class Bounds:
    """How far a detection may be from the checkpoint's own."""

    overlap: float
    """Smallest IoU of the two boxes."""
    score: float
    """Largest difference of the two scores."""


FP32_BOUNDS = Bounds(overlap=0.99, score=0.002)
"""For a graph that is computed in fp32 throughout."""
REDUCED_BOUNDS = Bounds(overlap=0.9, score=0.05)
"""For a graph of reduced precision, and on a GPU, which rounds the factors of products (TF32)."""


@dataclass(frozen=True)
class Detections:
    """What a detector returns for some frames."""

    boxes: NDArray[np.float32]
    """[N, K, 4] left, top, right and bottom as fractions of the frame."""
    scores: NDArray[np.float32]
    """[N, K] 0 to 1, descending."""
    labels: NDArray[np.int32]
    """[N, K] indices of classes."""

    def some(self, part: slice) -> "Detections":
        """Return the detections of some of the frames."""
        return Detections(self.boxes[part], self.scores[part], self.labels[part])


@dataclass(frozen=True)
class KnownDetections:
    """Pictures, and what the checkpoint itself finds in them."""

    names: tuple[str, ...]
    """Name of each picture, for error messages."""
    frames: NDArray[np.uint8]
    """[N, H, W, 3] RGB, fitted into the detector's frame."""
    detections: Detections
    """The checkpoint's own detections, computed in fp32 by PyTorch."""
    threshold: float
    """Score from which on every detection is compared."""

    def some(self, part: slice) -> "KnownDetections":
        """Return some of the pictures."""
        detections = self.detections.some(part)
        return KnownDetections(self.names[part], self.frames[part], detections, self.threshold)


@dataclass(frozen=True)
class Closeness:
    """How closely a detector that passed follows the checkpoint."""

    compared: int
    """Number of detections that were compared."""
    overlap: float
    """Smallest IoU of a box with the checkpoint's own."""
    score: float
    """Largest difference of a score to the checkpoint's own."""


def check_detections(
    known: KnownDetections,
    got: Detections,
    bounds: Bounds,
    other: str = "the checkpoint itself",
) -> Closeness:
    """Compare detections of the known pictures with the checkpoint's own, as sets.

    Each detection of the checkpoint from the threshold on, and the best LEAST_COMPARED of each
    picture, must be found with the same label, and no other one may reach such a score.

    Args:
        other: the source of the known detections, for messages.

    Raises:
        DetectorDiffers: if a detection is missing, too far away or too many.
    """
    expected = known.detections
    for name in ("boxes", "scores", "labels"):
        shapes = getattr(got, name).shape, getattr(expected, name).shape
        if shapes[0] != shapes[1]:
            raise DetectorDiffers(f"{name} are {list(shapes[0])}, they must be {list(shapes[1])}")
    compared, overlap, score = 0, 1.0, 0.0
    for index, name in enumerate(known.names):
        try:
            wanted, found = (_picture(detections, index) for detections in (expected, got))
            here = _compare(wanted, found, known.threshold, bounds, other)
            back = _compare(found, wanted, known.threshold, bounds, "the detector", spare=bounds)
        except DetectorDiffers as error:
            raise DetectorDiffers(f"in {name!r} {error}") from error
        compared += here.compared
        overlap = min(overlap, here.overlap, back.overlap)
        score = max(score, here.score, back.score)
    return Closeness(compared, overlap, score)


def write_known_detections(known: KnownDetections, weights_sha256: str, path: Path) -> None:
    """Write `known_detections.npz` for the weights of this hash."""
    np.savez_compressed(
        path,
        names=np.array(known.names),
        frames=known.frames,
        boxes=known.detections.boxes,
        scores=known.detections.scores,
        labels=known.detections.labels,
        weights_sha256=np.array(weights_sha256),
    )


def read_known_detections(path: Path, metadata: DetectorMetadata) -> KnownDetections:
    """Read `known_detections.npz`.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it lacks an array, or has an array of another dtype or shape.
        WeightsMismatch: if it was made for other weights.
    """
    stored = ("names", "frames", "boxes", "scores", "labels")
    arrays = read_arrays_of_weights(path, stored, metadata)
    names = tuple(arrays["names"].tolist())
    rows = (len(names), metadata.num_boxes)
    require_shape(path, "frames", arrays["frames"], np.uint8, (rows[0], *metadata.frame_shape))
    require_shape(path, "boxes", arrays["boxes"], np.float32, (*rows, 4))
    require_shape(path, "scores", arrays["scores"], np.float32, rows)
    require_shape(path, "labels", arrays["labels"], np.int32, rows)
    detections = Detections(arrays["boxes"], arrays["scores"], arrays["labels"])
    return KnownDetections(names, arrays["frames"], detections, metadata.threshold)


def box_overlaps(first: NDArray[Any], second: NDArray[Any]) -> NDArray[np.float64]:
    """Return the IoU [N, M] of boxes [N, 4] and [M, 4]; two equal boxes have 1, also empty ones."""
    one, other = first[:, None].astype(np.float64), second[None].astype(np.float64)
    sides = np.minimum(one[..., 2:], other[..., 2:]) - np.maximum(one[..., :2], other[..., :2])
    common = np.prod(np.maximum(sides, 0), axis=-1)
    first_area, second_area = (
        np.prod(np.maximum(box[..., 2:] - box[..., :2], 0), axis=-1) for box in (one, other)
    )
    union = first_area + second_area - common
    equal = (one == other).all(axis=-1)
    overlaps: NDArray[np.float64] = np.divide(
        common, union, out=equal.astype(np.float64), where=union > 0
    )
    return overlaps


def _picture(detections: Detections, index: int) -> Detections:
    picture = Detections(
        detections.boxes[index], detections.scores[index], detections.labels[index]
    )
    if not np.isfinite(picture.boxes).all() or not np.isfinite(picture.scores).all():
        raise DetectorDiffers("a box or a score is not a finite number")
    return picture


def _compare(
    wanted: Detections,
    found: Detections,
    threshold: float,
    bounds: Bounds,
    other: str,
    spare: Bounds | None = None,
) -> Closeness:
    """Look for each wanted detection among those found; each is used once.

    Args:
        spare: set if the wanted ones are the detector's: they may exceed the threshold a little.
    """
    floor = min(threshold, float(np.sort(wanted.scores)[-LEAST_COMPARED:][0]))
    if spare is not None:
        floor += spare.score
    order = np.argsort(-wanted.scores, kind="stable")
    chosen = order[wanted.scores[order] >= floor]
    overlaps = box_overlaps(wanted.boxes[chosen], found.boxes)
    free = np.ones(len(found.scores), bool)
    least, most = 1.0, 0.0
    for row, index in enumerate(chosen):
        fits = free & (found.labels == wanted.labels[index])
        apart = np.abs(found.scores.astype(np.float64) - wanted.scores[index])
        reach = np.where(fits & (apart <= bounds.score), overlaps[row], -1.0)
        best = int(reach.argmax())
        if not reach[best] >= bounds.overlap:
            raise DetectorDiffers(
                f"the detection of {other} with score {wanted.scores[index]:.4f}, label"
                f" {wanted.labels[index]} and box {_box(wanted.boxes[index])} has no partner with"
                f" an IoU of {bounds.overlap:g} and a score within {bounds.score:g}"
            )
        free[best] = False
        least, most = min(least, float(reach[best])), max(most, float(apart[best]))
    return Closeness(len(chosen), least, most)


def _box(box: NDArray[Any]) -> str:
    return "[" + ", ".join(f"{value:.3f}" for value in box) + "]"
