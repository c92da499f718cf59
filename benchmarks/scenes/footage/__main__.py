# SPDX-License-Identifier: Apache-2.0
"""Makes the videos: python -m benchmarks.scenes.footage --output FOLDER."""

import argparse
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from benchmarks.scenes.footage import drawn, real
from benchmarks.scenes.footage.clips import fetch_clips
from benchmarks.scenes.footage.edit import Edit
from benchmarks.scenes.footage.writing import write_edit

SETS = ("real", "drawn")
PARTS = ("tune", "test")


def edits(name: str, part: str, cache: Path) -> Iterator[Edit]:
    """Yield the edits of one set and one part."""
    if name == "drawn":
        return chain(drawn.drawn_edits(part), drawn.quiet_edits(part))
    clips = fetch_clips(cache)
    return chain(real.real_edits(part, clips), real.quiet_edits(part, clips))


def main() -> None:
    """Write the videos that are not there yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scenes.footage")
    parser.add_argument("--output", type=Path, required=True, help="folder of the videos")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts:
        for name in arguments.sets:
            for edit in edits(name, part, arguments.output):
                print(write_edit(edit, arguments.output / name), flush=True)


if __name__ == "__main__":
    main()
