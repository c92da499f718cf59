# SPDX-License-Identifier: Apache-2.0
"""The best assignment of rows to columns: the Hungarian method, by shortest augmenting paths.

R. Jonker and A. Volgenant, A shortest augmenting path algorithm for dense and sparse linear
assignment problems, Computing 38, 1987. Written here because SciPy, which has it too, is large.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Pairs = list[tuple[int, int]]


def best_pairs(similarities: NDArray[np.float64], least: float) -> Pairs:
    """Return the pairs of a row and a column with the largest sum of similarities, by row.

    Each row and each column is in one pair at most.

    Args:
        similarities: [r, c] numbers, 0 or more.
        least: smallest similarity of a pair, above 0.
    """
    allowed = similarities >= least
    if max(allowed.sum(axis=0).max(initial=0), allowed.sum(axis=1).max(initial=0)) <= 1:
        # No row and no column has a choice, as in most frames.
        return [(int(row), int(column)) for row, column in np.argwhere(allowed)]
    pairs: Pairs = []
    for rows, columns in _groups(allowed):
        part = np.where(allowed[np.ix_(rows, columns)], similarities[np.ix_(rows, columns)], 0.0)
        pairs += [(rows[row], columns[column]) for row, column in _assigned(part)]
    return sorted((row, column) for row, column in pairs if allowed[row, column])


def _groups(allowed: NDArray[np.bool_]) -> Iterator[tuple[list[int], list[int]]]:
    """Yield the rows and columns that are connected by allowed pairs: each is a small problem."""
    remaining = set(np.flatnonzero(allowed.any(axis=1)).tolist())
    while remaining:
        rows, columns, new = set[int](), set[int](), {min(remaining)}
        while new:
            rows |= new
            columns |= set(np.flatnonzero(allowed[sorted(new)].any(axis=0)).tolist())
            new = set(np.flatnonzero(allowed[:, sorted(columns)].any(axis=1)).tolist()) - rows
        remaining -= rows
        yield sorted(rows), sorted(columns)


def _assigned(similarities: NDArray[np.float64]) -> Pairs:
    """Return an assignment of all rows, or of all columns if these are fewer."""
    rows, columns = similarities.shape
    if rows > columns:
        return [(row, column) for column, row in _assigned(similarities.T)]
    costs = similarities.max() - similarities
    row_of = np.full(columns, -1)
    row_prices, column_prices = np.zeros(rows), np.zeros(columns)
    for row in range(rows):
        _augment(costs, row, row_of, row_prices, column_prices)
    return [(int(row_of[column]), int(column)) for column in np.flatnonzero(row_of >= 0)]


def _augment(
    costs: NDArray[np.float64],
    row: int,
    row_of: NDArray[np.int_],
    row_prices: NDArray[np.float64],
    column_prices: NDArray[np.float64],
) -> None:
    """Assign one more row along the shortest path to a free column; changes the last three."""
    columns = costs.shape[1]
    distances = np.full(columns, np.inf)
    before = np.full(columns, -1)  # the column before each on its shortest path; -1 for the row
    is_settled = np.zeros(columns, np.bool_)
    current, column, length = row, -1, 0.0
    while True:
        through = length + costs[current] - row_prices[current] - column_prices
        is_shorter = ~is_settled & (through < distances)
        distances[is_shorter] = through[is_shorter]
        before[is_shorter] = column
        column = int(np.argmin(np.where(is_settled, np.inf, distances)))
        length = float(distances[column])
        if row_of[column] < 0:
            break
        is_settled[column] = True
        current = int(row_of[column])
    row_prices[row] += length
    settled = np.flatnonzero(is_settled)
    row_prices[row_of[settled]] += length - distances[settled]
    column_prices[settled] -= length - distances[settled]
    while column >= 0:
        previous = int(before[column])
        row_of[column] = row if previous < 0 else row_of[previous]
        column = previous
