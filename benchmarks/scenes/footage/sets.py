# SPDX-License-Identifier: Apache-2.0
"""The sets of videos, and the two parts of each: one to tune a detector on, one to test it."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from benchmarks.common.footage import drawn, real
from benchmarks.common.footage.clips import fetch_clips
from benchmarks.common.footage.edit import Edit

SETS = ("real", "drawn")
PARTS = ("tune", "test")


def edits(name: str, part: str, cache: Path) -> Iterator[Edit]:
    """Yield the edits of one set and one part; the clips of the real ones are kept in `cache`."""
    if name == "drawn":
        return chain(drawn.drawn_edits(part), drawn.quiet_edits(part))
    clips = fetch_clips(cache)
    return chain(real.real_edits(part, clips), real.quiet_edits(part, clips))
