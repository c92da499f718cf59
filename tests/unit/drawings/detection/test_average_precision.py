# SPDX-License-Identifier: Apache-2.0
"""Average precision: worked out by hand, and the cases that COCO's rules decide."""

import numpy as np
import pytest

from trireel_drawings.detection.average_precision import Found, average_precisions
from trireel_drawings.detection.pictures import Truth

HERE, THERE = (0.0, 0.0, 0.4, 0.4), (0.5, 0.5, 0.9, 0.9)
NEAR_HERE = (0.0, 0.0, 0.4, 0.3)  # IoU 0.75
AWAY = (0.8, 0.0, 0.9, 0.1)


def _truth(*boxes, labels=None, hidden=None) -> Truth:
    count = len(boxes)
    return Truth(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels or [0] * count, np.int64),
        np.array(hidden or [False] * count, np.bool_),
    )


def _found(*rows) -> Found:
    boxes, scores, labels = zip(*rows, strict=True) if rows else ((), (), ())
    return Found(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(scores, np.float32),
        np.array(labels, np.int32),
    )


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([(HERE, 0.9, 0), (THERE, 0.8, 0)], 1.0),
        ([(NEAR_HERE, 0.9, 0), (THERE, 0.8, 0)], 1.0),
        ([(HERE, 0.9, 0)], 51 / 101),  # half of the things: recalls 0 to 0.5
        ([], 0.0),
        ([(HERE, 0.9, 1), (THERE, 0.8, 1)], 0.0),  # of another class
        ([(AWAY, 0.9, 0), (HERE, 0.8, 0), (THERE, 0.7, 0)], 2 / 3),
        ([(HERE, 0.9, 0), (AWAY, 0.8, 0), (THERE, 0.7, 0)], (51 + 50 * 2 / 3) / 101),
        ([(HERE, 0.9, 0), (HERE, 0.8, 0), (THERE, 0.7, 0)], (51 + 50 * 2 / 3) / 101),
        ([(HERE, 0.9, 0), (THERE, 0.8, 0), (AWAY, 0.1, 0)], 1.0),  # wrong after all were found
    ],
)
def test_it_is_the_area_under_the_precision(rows, expected) -> None:
    assert average_precisions([_found(*rows)], [_truth(HERE, THERE)]) == {
        0: pytest.approx(expected)
    }


def test_a_hidden_thing_counts_neither_way() -> None:
    truth = _truth(HERE, THERE, hidden=[False, True])
    missed, found = _found((HERE, 0.8, 0)), _found((THERE, 0.9, 0), (HERE, 0.8, 0))
    assert average_precisions([missed], [truth]) == average_precisions([found], [truth]) == {0: 1.0}


def test_scores_are_ranked_over_all_pictures() -> None:
    found = [_found((AWAY, 0.95, 0)), _found((HERE, 0.9, 0))]
    assert average_precisions(found, [_truth(HERE), _truth(HERE)]) == {
        0: pytest.approx(51 / 101 / 2)
    }


def test_a_class_that_is_not_shown_has_none() -> None:
    truths = [_truth(HERE, labels=[3]), _truth(THERE, labels=[5], hidden=[True])]
    assert list(average_precisions([_found(), _found()], truths)) == [3]


def test_random_detections_get_what_pycocotools_gives_them() -> None:
    """The values are those of pycocotools 2.0 for these boxes, at an IoU of 0.5."""
    rng = np.random.default_rng(0)
    found, truths = [], []
    for _ in range(60):
        count = rng.integers(0, 9)
        corner = rng.random((count, 2)) * 0.6
        boxes = np.concatenate([corner, corner + 0.05 + rng.random((count, 2)) * 0.35], axis=1)
        boxes = boxes.astype(np.float32)
        labels = rng.integers(0, 4, count)
        truths.append(Truth(boxes, labels, np.zeros(count, bool)))
        guesses = rng.integers(0, 15)
        source = rng.integers(0, max(count, 1), guesses)
        moved = boxes[source] + rng.normal(0, 0.03, (guesses, 4)) if count else None
        guess = (rng.random((guesses, 4)) if moved is None else moved).astype(np.float32)
        low, high = np.minimum(guess[:, :2], guess[:, 2:]), np.maximum(guess[:, :2], guess[:, 2:])
        guess = np.concatenate([low, high + 1e-3], axis=1).astype(np.float32)
        right = rng.random(guesses) < 0.8
        named = np.where(right, labels[source] if count else 0, rng.integers(0, 4, guesses))
        scores = rng.random(guesses).astype(np.float32)
        found.append(Found(guess, scores, named.astype(np.int32)))
    expected = [0.24244843, 0.23945676, 0.28449355, 0.21311547]
    assert list(average_precisions(found, truths).values()) == pytest.approx(expected, abs=1e-6)
