# SPDX-License-Identifier: Apache-2.0
"""Frames become moments: neighbours of a scene that fit about equally well."""

import numpy as np

from trireel_app.index.moments import stretches
from trireel_app.index.rows import FrameRows
from trireel_app.index.where import SceneKey

A0, A1, B0 = SceneKey("a", 0), SceneKey("a", 1), SceneKey("b", 0)


def frames(scenes, indices=None, added_ns=None):
    """Return frames of a second each."""
    count = len(scenes)
    positions = np.arange(count, dtype=np.int32) if indices is None else np.array(indices, np.int32)
    return FrameRows(
        tuple(scenes),
        np.ones(count, np.int64) if added_ns is None else np.array(added_ns),
        positions,
        np.stack([positions, positions + 1], axis=1).astype(np.float64),
        positions + 0.5,
        np.zeros((count, 2), np.float32),
    )


def spans(found):
    return [(part.scene, part.begin_seconds, part.end_seconds) for part in found]


def of(rows, cosines, drop=0.1):
    return stretches(rows, np.array(cosines, np.float32), drop)


def test_neighbours_that_fit_are_one_moment():
    found = of(frames([A0] * 5), [0.1, 0.45, 0.5, 0.48, 0.2])
    assert spans(found) == [(A0, 1, 4)]
    assert (found[0].best_seconds, found[0].cosine) == (2.5, np.float32(0.5))


def test_a_gap_makes_two_moments():
    found = of(frames([A0] * 5), [0.5, 0.1, 0.1, 0.45, 0.47])
    assert spans(found) == [(A0, 0, 1), (A0, 3, 5)]


def test_a_moment_ends_with_its_scene():
    found = of(frames([A0, A0, A1, A1]), [0.2, 0.5, 0.5, 0.5])
    assert spans(found) == [(A0, 1, 2), (A1, 2, 4)]


def test_the_best_moment_comes_first_in_any_order_of_frames():
    found = of(frames([B0, A0, B0], [7, 3, 6]), [0.3, 0.4, 0.35])
    assert spans(found) == [(A0, 3, 4), (B0, 6, 8)]


def test_frames_of_older_results_are_left_out():
    found = of(frames([A0, A1, A0], [0, 1, 2], added_ns=[1, 1, 2]), [0.9, 0.9, 0.1])
    assert spans(found) == [(A0, 2, 3)]


def test_no_frames_are_no_moments():
    assert of(frames([]), []) == []
