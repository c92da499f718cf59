# SPDX-License-Identifier: Apache-2.0
"""Calibration of an export's scene settings by labelled videos."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.common.counts import Counts
from benchmarks.common.record import ROOT
from benchmarks.scenes.calibrate import Sampled, Setting, best, calibrate, judge, store
from benchmarks.scenes.labelled import Labelled
from benchmarks.scenes.score import Tolerance, Transition, Video
from trireel_schema.metadata import read_metadata

TOLERANCE = Tolerance(None, 0.65)
EXPORT = ROOT / "export/tiny/model"


def sampled(angles_degrees, cut_at):
    """Return frames 0.5 s apart whose embeddings are directions in a plane."""
    angles = np.radians(angles_degrees)
    times = np.arange(len(angles)) * 0.5
    cut = Transition("cut", cut_at, cut_at)
    labelled = Labelled(Path("v.mp4"), "own/v", "own", Video((cut,), tuple(times.tolist())))
    embeddings = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    return Sampled(labelled, times, embeddings)


def test_the_best_threshold_lies_between_motion_and_cut():
    motion = [0, 5, 0, 5]  # scores up to 1 - cos 5 degrees = 0.004
    video = sampled([*motion, *(30 + angle for angle in motion)], 2.0)  # 1 - cos 30 = 0.13
    found = calibrate([video], TOLERANCE)
    assert found.counts == Counts(1, 0, 0)
    assert 0.01 < found.threshold < 0.13
    assert judge([video], 0.5, 0.1, TOLERANCE).counts == Counts(0, 1, 0)


def test_of_equal_settings_the_middle_one_wins():
    perfect, worse = Counts(2, 0, 0), Counts(1, 1, 0)
    settings = [Setting(at, 0.1, perfect) for at in (0.1, 0.2, 0.3)]
    settings += [Setting(0.9, 0.5, perfect), Setting(0.05, 0.1, worse)]
    assert best(settings) == settings[1]


def test_the_pair_is_stored_and_nothing_else_changes(tmp_path):
    before = read_metadata(EXPORT / "metadata.json")
    path = tmp_path / "metadata.json"
    store(before, Setting(0.31, 0.2, Counts()), path)
    after = read_metadata(path)
    assert (after.scene_threshold, after.scene_alpha) == (0.31, 0.2)
    assert after.weights_sha256 == before.weights_sha256
    assert after.calibration == pytest.approx(before.calibration)
