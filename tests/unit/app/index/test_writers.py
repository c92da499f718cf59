# SPDX-License-Identifier: Apache-2.0
"""Real processes that write to one library: killed midway, and two at once."""

import os
import subprocess
import sys
from datetime import timedelta
from itertools import chain
from pathlib import Path

import numpy as np
from support.index_writer import SHARED, uri_of
from support.records import record

from trireel_app.index.keeper import Keeper
from trireel_app.index.search import Query, search
from trireel_app.library import Library
from trireel_schema.vectors import Calibration

TESTS = Path(__file__).parents[3]
CALIBRATION = Calibration(10.0, -5.0)
FRAMES = 12  # of each record
RECORDS = 7  # before the kill


def start(root, first, count):
    return subprocess.Popen(
        [sys.executable, "-m", "support.index_writer", str(root), str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    )


def assert_found(keeper, number):
    """Check that a search finds the frames of a record."""
    wanted = record(uri_of(number), number)
    query = Query("", wanted.frames.embeddings[5], CALIBRATION)
    (moment,) = search(keeper.store(), query, 1)
    assert (moment.uri, moment.best_seconds) == (wanted.uri, 5.5)


def test_a_killed_writer_leaves_a_readable_index(tmp_path):
    """Killed at a moment that no test chooses."""
    with start(tmp_path, 1, 1000) as writer:
        written = [int(line) for _, line in zip(range(RECORDS), writer.stdout, strict=False)]
        writer.kill()
        written += [int(line) for line in writer.stdout if line.strip()]
    keeper = Keeper(Library(tmp_path))
    for number in written:
        if uri_of(number) != SHARED:
            assert_found(keeper, number)
    keeper.repair()
    videos = {entry.video_id for entry in keeper.library.videos()}
    assert set(keeper.store().videos()) == videos
    assert keeper.store().num_frames() == FRAMES * len(videos)


def test_two_writers_lose_no_rows(tmp_path):
    writers = [start(tmp_path, first, 8) for first in (1, 101)]
    numbers = [[int(line) for line in writer.stdout] for writer in writers]
    assert [writer.wait() for writer in writers] == [0, 0]
    for writer in writers:
        writer.stdout.close()
    keeper = Keeper(Library(tmp_path))
    own = [number for number in chain(*numbers) if uri_of(number) != SHARED]
    assert len(own) == 12
    for number in own:
        assert_found(keeper, number)
    # Of the video that both wrote, the rows of one writer are left after a repair.
    keeper.repair()
    keeper.compact(timedelta(milliseconds=1))
    assert keeper.store().num_frames() == FRAMES * (len(own) + 1)
    (shared,) = [entry for entry in keeper.library.videos() if entry.uri == SHARED]
    rows = keeper.store().videos()[shared.video_id]
    assert rows[0] == shared.generation
    assert np.array_equal(
        keeper.library.record(shared.video_id).frames.pts, record(SHARED).frames.pts
    )
