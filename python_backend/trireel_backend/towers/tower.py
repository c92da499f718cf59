# SPDX-License-Identifier: Apache-2.0
"""Running an exported model for one batch gathered from many requests."""

import math
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.towers.sessions import Outputs, load_session
from trireel_backend.towers.settings import TowerSettings

LEAST_ROWS = 4
"""Fewest rows in each of several runs at once: with fewer, loading the weights into the cache costs
more than it saves."""


class SharedRuns:
    """A model that accepts any number of rows, and on a CPU runs a few at a time.

    On a CPU, more rows than a chunk at once are no faster, and each row takes memory. If the
    runtime accepts several runs at once, each on one thread, the rows are divided among them:
    threads that share one run wait for each other in every layer.
    """

    def __init__(
        self, model: Path, settings: TowerSettings, *, least_rows: int = LEAST_ROWS
    ) -> None:
        """Load `model`; raises StartupError if the configured runtime cannot run here.

        Args:
            least_rows: fewest rows for which each of several runs at once has room on a CPU.
        """
        rows_at_once = settings.checked_rows_at_once()
        self._session = load_session(model, settings)
        lanes = self._session.lanes
        self._most_rows = sys.maxsize
        if self._session.on_cpu:
            self._most_rows = max(min(least_rows, rows_at_once), rows_at_once // lanes)
        self._lanes = ThreadPoolExecutor(lanes, "tower") if lanes > 1 else None

    def run(self, parts: Sequence[NDArray[Any]]) -> Outputs:
        """Run the rows of several requests as one batch; return the outputs of all rows."""
        count = sum(map(len, parts))
        if count == 0:  # onnxruntime crashes on an empty batch
            return [np.empty((0, width), np.float32) for width in self._session.widths]
        runs = batches(parts, rows_per_run(count, self._session.lanes, self._most_rows))
        run = self._session.run
        outputs = map(run, runs) if self._lanes is None else self._lanes.map(run, runs)
        return [np.concatenate(pieces) for pieces in zip(*outputs, strict=True)]

    def run_together(self, parts: Sequence[NDArray[Any]]) -> list[Outputs]:
        """Run the rows of several requests as one batch; return the outputs of each request."""
        ends = np.cumsum([len(part) for part in parts])
        split = (np.split(output, ends[:-1]) for output in self.run(parts))
        return [list(outputs) for outputs in zip(*split, strict=True)]


class Tower:
    """A model whose one output is an embedding of each row."""

    def __init__(self, model: Path, settings: TowerSettings) -> None:
        """Load `model`; raises StartupError if the configured runtime cannot run here."""
        self._runs = SharedRuns(model, settings)

    def run(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the embeddings [N, D], unit length, of the rows of a batch."""
        (embeddings,) = self._runs.run([rows])
        return embeddings

    def run_together(self, parts: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the rows of several requests as one batch; return the embeddings of each request."""
        return [embeddings for (embeddings,) in self._runs.run_together(parts)]


def rows_per_run(count: int, lanes: int, most_rows: int) -> int:
    """Return the rows of each run when `count` rows are divided so that all lanes end together."""
    runs = max(min(lanes, count), math.ceil(count / most_rows))
    if runs > lanes:
        runs = math.ceil(runs / lanes) * lanes
    return math.ceil(count / runs)


def batches(parts: Sequence[NDArray[Any]], most_rows: int) -> Iterator[NDArray[Any]]:
    """Yield the rows of all parts in order, from one to `most_rows` rows at a time.

    Only a batch with rows of several parts is a copy.
    """
    pieces: list[NDArray[Any]] = []
    room = most_rows
    for part in parts:
        start = 0
        while start < len(part):
            pieces.append(part[start : start + room])
            start += len(pieces[-1])
            room -= len(pieces[-1])
            if room == 0:
                yield _joined(pieces)
                pieces, room = [], most_rows
    if pieces:
        yield _joined(pieces)


def _joined(pieces: list[NDArray[Any]]) -> NDArray[Any]:
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
