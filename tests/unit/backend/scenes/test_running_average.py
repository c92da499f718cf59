# SPDX-License-Identifier: Apache-2.0
"""Scene cuts: one event for each cut, the same for every division into chunks."""

import numpy as np
import pytest

from trireel_backend.scenes.running_average import scan_scenes

A = np.array([1, 0, 0], np.float32)
B = np.array([0, 1, 0], np.float32)


def test_one_event_a_cut():
    scan = scan_scenes(np.stack([A, A, B, B, B, A]), None)
    np.testing.assert_array_equal(scan.cuts, [2, 5])
    np.testing.assert_allclose(scan.scores, [0, 0, 1, 0, 0, 1], atol=1e-6)


def test_the_first_frame_of_a_video_is_no_cut_but_that_of_its_next_chunk_may_be():
    first = scan_scenes(np.stack([A, A]), None)
    assert len(first.cuts) == 0
    np.testing.assert_array_equal(scan_scenes(np.stack([B]), first.average).cuts, [0])


def test_a_score_at_the_threshold_is_a_cut():
    # 1 - 0.5 is exact in binary: the comparison is with the threshold itself.
    frame = np.array([0.5, 0.75**0.5, 0], np.float32)
    assert len(scan_scenes(np.stack([A, frame]), None, threshold=0.5).cuts) == 1
    assert len(scan_scenes(np.stack([A, frame]), None, threshold=0.5000001).cuts) == 0


def test_a_slow_change_moves_the_average_and_is_no_cut():
    angles = np.linspace(0, np.pi / 2, 200)
    frames = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1).astype(np.float32)
    assert len(scan_scenes(frames, None).cuts) == 0


def test_chunking_does_not_change_the_scan():
    rng = np.random.default_rng(3)
    frames = rng.normal(size=(64, 8)).astype(np.float32) + 2
    frames /= np.linalg.norm(frames, axis=1, keepdims=True)
    whole = scan_scenes(frames, None)
    average, scores = None, []
    for part in np.split(frames, [7, 20, 21, 50]):
        scan = scan_scenes(part, average)
        average = scan.average
        scores.append(scan.scores)
    assert len(whole.cuts) > 3
    np.testing.assert_array_equal(np.concatenate(scores), whole.scores)


def test_no_frames_is_a_bug():
    with pytest.raises(ValueError, match="got no frames"):
        scan_scenes(np.zeros((0, 3), np.float32), None)
