# SPDX-License-Identifier: Apache-2.0
"""Pictures with boxes: repeatable, right for what they show, rich in every class."""

import numpy as np
import pytest

from trireel_drawings.detection.extras import MOST_EXTRAS, scattered
from trireel_drawings.detection.pictures import (
    HEIGHT_PX,
    LABELS,
    WIDTH_PX,
    plain_pictures,
    training_picture,
    truth_of,
)
from trireel_drawings.painting.things import Thing
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import draw_scene

KINDS = len(PAIRS)


def test_a_scene_with_boxes_is_the_same_scene() -> None:
    scene = draw_scene(7, "park", "A person running")
    frame, things = scene.observed(2.0, (192, 108))
    np.testing.assert_array_equal(frame, scene.frame(2.0, (192, 108)))
    assert {"person", "tree", "bench"} <= {thing.label for thing in things}


def test_a_thing_keeps_its_number_over_time() -> None:
    scene = draw_scene(11, *PAIRS[31])
    labels = [
        {thing.number: thing.label for thing in scene.observed(t, (128, 72))[1]}
        for t in (0.0, 1.5, 9.0)
    ]
    for number in labels[0].keys() & labels[1].keys() & labels[2].keys():
        assert labels[0][number] == labels[1][number] == labels[2][number]


def test_a_training_picture_repeats() -> None:
    first, second = (training_picture(5, 5) for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1].boxes, second[1].boxes)
    assert first[0].shape == (HEIGHT_PX, WIDTH_PX, 3)


def test_every_label_is_drawn_and_boxes_are_fractions() -> None:
    pictures = plain_pictures(0, KINDS)
    labels = np.concatenate([truth.labels[~truth.hidden] for truth in pictures.truths])
    boxes = np.concatenate([truth.boxes for truth in pictures.truths])
    assert len(set(labels.tolist())) >= len(LABELS) - 2  # a bus or a cart may be out of view
    assert boxes.min() >= 0
    assert boxes.max() <= 1
    assert (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize(
    ("visible", "width", "hidden"), [(0.5, 0.1, False), (0.1, 0.1, True), (1.0, 0.01, True)]
)
def test_a_thing_of_which_little_is_seen_is_hidden(visible, width, hidden) -> None:
    truth = truth_of([Thing("car", 0, (0.2, 0.2, 0.2 + width, 0.5), visible)])
    assert truth.hidden.tolist() == [hidden]


def test_things_without_a_label_are_left_out() -> None:
    truth = truth_of([Thing("window", 0, (0, 0, 1, 1), 1.0), Thing("bus", 1, (0, 0, 1, 1), 1.0)])
    assert [LABELS[label] for label in truth.labels] == ["bus"]


def test_extras_are_painted_onto_a_scene() -> None:
    scene = draw_scene(3, "hallway", "An empty room with nobody inside")
    _, plain = scene.observed(0.0, (128, 72))
    counts = set()
    for seed in range(12):
        _, more = scene.observed(0.0, (128, 72), extras=scattered((seed, 1)))
        counts.add(len(more) - len(plain))
    assert 1 <= max(counts) <= MOST_EXTRAS
