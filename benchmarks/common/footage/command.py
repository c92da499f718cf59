# SPDX-License-Identifier: Apache-2.0
"""The command line by which a benchmark makes its videos."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

Video = TypeVar("Video")


def make_videos(
    module: str,
    sets: Sequence[str],
    parts: Sequence[str],
    videos: Callable[[str, str, Path], Iterable[Video]],
    write: Callable[[Video, Path], object],
) -> None:
    """Write the videos that are not there yet.

    Args:
        module: name by which the command is run.
        videos: yields the videos of a set, a part and the folder of the videos.
        write: writes one video into the folder of its set, and returns what is printed.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}")
    parser.add_argument("--output", type=Path, required=True, help="folder of the videos")
    parser.add_argument("--sets", nargs="*", choices=sets, default=sets)
    parser.add_argument("--parts", nargs="*", choices=parts, default=parts)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts:
        for name in arguments.sets:
            for video in videos(name, part, arguments.output):
                print(write(video, arguments.output / name), flush=True)
