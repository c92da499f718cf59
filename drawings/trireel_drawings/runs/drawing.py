# SPDX-License-Identifier: Apache-2.0
"""Pieces of a training's pictures, drawn by several processes."""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TypeVar

from rich.progress import Progress

T = TypeVar("T")
DrawPiece = Callable[[int, int, int], T]
"""Function of the first seed, the number of scenes and the index of the first one to draw. It
belongs to a module, so that other processes can call it."""


def draw_pieces(
    draw: DrawPiece[T], first_seed: int, total: int, scenes_per_piece: int, *, workers: int
) -> Iterator[T]:
    """Yield pieces of `total` scenes, in order, each drawn by one of the processes."""
    starts = range(0, total, scenes_per_piece)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as executor:
        yield from executor.map(partial(draw, first_seed, total), starts)


def collected(
    pieces: Iterator[T], total: int, scenes_per_piece: int, progress: Progress
) -> list[T]:
    """Return the pieces of `total` scenes, and show how many are there."""
    task = progress.add_task("drawing", total=math.ceil(total / scenes_per_piece))
    found = []
    for piece in pieces:
        found.append(piece)
        progress.advance(task)
    return found
