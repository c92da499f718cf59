# SPDX-License-Identifier: Apache-2.0
"""Known detections: compared as sets within bounds, written and read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.known import detector_metadata_of

from trireel_schema.detections import (
    FP32_BOUNDS,
    REDUCED_BOUNDS,
    Detections,
    KnownDetections,
    box_overlaps,
    check_detections,
    read_known_detections,
    write_known_detections,
)
from trireel_schema.errors import DetectorDiffers, FileDamaged, WeightsMismatch

BOXES = 5


@pytest.fixture
def known() -> KnownDetections:
    """Two pictures; in the first one three detections reach the threshold of 0.5."""
    rng = np.random.default_rng(3)
    corner, side = rng.random((2, BOXES, 2)) * 0.5, 0.1 + rng.random((2, BOXES, 2)) * 0.4
    boxes = np.concatenate([corner, corner + side], axis=-1).astype(np.float32)
    scores = np.array([[0.9, 0.8, 0.7, 0.2, 0.1], [0.3, 0.2, 0.2, 0.1, 0.0]], np.float32)
    labels = np.array([[0, 1, 0, 1, 1], [1, 0, 1, 0, 1]], np.int32)
    frames = rng.integers(0, 256, (2, 32, 64, 3), np.uint8)
    return KnownDetections(("a", "b"), frames, Detections(boxes, scores, labels), 0.5)


def _copy(detections: Detections) -> Detections:
    return Detections(detections.boxes.copy(), detections.scores.copy(), detections.labels.copy())


def test_the_same_detections_are_as_close_as_can_be(known: KnownDetections) -> None:
    close = check_detections(known, known.detections, FP32_BOUNDS)
    assert (close.compared, close.overlap, close.score) == (6, 1.0, 0.0)


def test_the_order_of_detections_does_not_matter(known: KnownDetections) -> None:
    order = [2, 0, 1, 4, 3]
    found = known.detections
    other = Detections(found.boxes[:, order], found.scores[:, order], found.labels[:, order])
    assert check_detections(known, other, FP32_BOUNDS).overlap == 1.0


@pytest.mark.parametrize(
    ("array", "place", "value"),
    [
        ("scores", (0, 1), 0.78),
        ("scores", (0, 3), 0.65),  # one more than the checkpoint found
        ("scores", (1, 0), 0.35),  # the best of a picture, though below the threshold
        ("labels", (0, 2), 1),
        ("boxes", (0, 0), (0.0, 0.0, 0.1, 0.1)),
        ("boxes", (0, 0), (np.nan, 0.0, 0.1, 0.1)),
        ("scores", (1, 4), np.inf),
    ],
)
def test_another_detection_is_found(known, array, place, value) -> None:
    other = _copy(known.detections)
    getattr(other, array)[place] = value
    with pytest.raises(DetectorDiffers, match=f"in '{known.names[place[0]]}'"):
        check_detections(known, other, FP32_BOUNDS)


def test_weak_detections_may_differ(known: KnownDetections) -> None:
    other = _copy(known.detections)
    other.boxes[0, 4] = (0, 0, 1, 1)
    check_detections(known, other, FP32_BOUNDS)


def test_reduced_precision_has_wider_bounds(known: KnownDetections) -> None:
    other = _copy(known.detections)
    other.scores[0, 0] = 0.87
    other.boxes[0, 0] += 0.003
    with pytest.raises(DetectorDiffers, match=r"the checkpoint itself with score 0\.9000, label 0"):
        check_detections(known, other, FP32_BOUNDS)
    assert check_detections(known, other, REDUCED_BOUNDS).score == pytest.approx(0.03, abs=1e-6)


def test_one_box_cannot_stand_for_two(known: KnownDetections) -> None:
    twins = _copy(known.detections)
    twins.boxes[0, 2], twins.scores[0, 2] = twins.boxes[0, 0], 0.9
    other = _copy(twins)
    other.boxes[0, 2] = (0.9, 0.9, 1, 1)
    with pytest.raises(DetectorDiffers, match="has no partner"):
        check_detections(replace(known, detections=twins), other, REDUCED_BOUNDS)


def test_another_number_of_boxes_is_named(known: KnownDetections) -> None:
    found = known.detections
    fewer = Detections(found.boxes[:, :3], found.scores[:, :3], found.labels[:, :3])
    with pytest.raises(DetectorDiffers, match=r"boxes are \[2, 3, 4\], they must be \[2, 5, 4\]"):
        check_detections(known, fewer, FP32_BOUNDS)


def test_overlaps_are_shares_of_the_union() -> None:
    whole, left = (0.0, 0.0, 1.0, 1.0), (0.0, 0.0, 0.5, 1.0)
    apart, point = (2.0, 2.0, 3.0, 3.0), (0.2, 0.2, 0.2, 0.2)
    boxes = np.array([whole, left, apart, point], np.float32)
    np.testing.assert_allclose(
        box_overlaps(boxes[[0, 3]], boxes), [[1, 0.5, 0, 0], [0, 0, 0, 1]], atol=1e-9
    )


def test_they_are_read_as_they_were_written(known: KnownDetections, tmp_path: Path) -> None:
    path, metadata = tmp_path / "known.npz", detector_metadata_of(num_boxes=BOXES)
    write_known_detections(known, metadata.weights_sha256, path)
    read = read_known_detections(path, metadata)
    assert (read.names, read.threshold) == (known.names, known.threshold)
    np.testing.assert_array_equal(read.frames, known.frames)
    np.testing.assert_array_equal(read.detections.boxes, known.detections.boxes)
    with pytest.raises(WeightsMismatch, match="take all files from one export"):
        read_known_detections(path, replace(metadata, weights_sha256="ffff"))
    with pytest.raises(FileDamaged, match=r"'boxes' .* it must be float32 \[2, 4, 4\]"):
        read_known_detections(path, replace(metadata, num_boxes=4))
