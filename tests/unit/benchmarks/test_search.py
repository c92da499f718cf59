# SPDX-License-Identifier: Apache-2.0
"""The benchmark of the search: made-up frames, a small run, its page."""

import json

import numpy as np
import pytest

from benchmarks.search import __main__ as run_module
from benchmarks.search.frames import FRAMES_A_RUN, QUERY_COSINES, World, queries
from benchmarks.search.headlines import headlines
from benchmarks.search.table import page
from trireel_app.index import store

WORLD = World(videos=4, runs=10, width=64)


@pytest.fixture(scope="module")
def frames():
    return np.concatenate([record.frames.embeddings for record in WORLD.records()])


def test_frames_of_a_run_are_nearly_equal(frames):
    assert len(frames) == WORLD.frames == 640
    cosines = frames @ frames[0]
    assert cosines[:FRAMES_A_RUN].min() > 0.95
    assert cosines[FRAMES_A_RUN:].max() < cosines[:FRAMES_A_RUN].min()


def test_queries_have_their_cosines_to_a_frame(frames):
    found = (queries(frames, 6) @ frames.T).max(axis=1)
    assert (found >= np.resize(QUERY_COSINES, 6) - 1e-4).all()
    assert found[2] == pytest.approx(0.9, abs=0.03)


def test_a_small_run_makes_its_page(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "INDEXED_FROM_ROWS", 500)
    monkeypatch.setattr(run_module, "QUERIES", 6)
    monkeypatch.setattr(run_module, "SLOW_QUERIES", 3)
    run = run_module.Run(tmp_path / "index", WORLD, tmp_path / "results.json")
    run.make()
    run.search()
    run_module.Run(tmp_path / "index", WORLD, tmp_path / "results.json").make()  # is there
    raw = {"results.json": json.loads((tmp_path / "results.json").read_text())}
    (found,) = headlines(raw)
    recall, *_ = found.headlines
    assert 0.5 <= recall.value <= 1
    assert "640 made-up frames of 4 videos" in page(raw)
    lines = [line for line in page(raw).splitlines() if line.startswith("| ")]
    names = [line.split(" | ")[0].removeprefix("| ") for line in lines]
    assert names[1:] == ["NumPy, all frames", "all frames", "index", "3 videos", "moments"]


def test_a_missing_run_has_no_figures():
    assert list(headlines({})) == []
