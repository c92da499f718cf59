# SPDX-License-Identifier: Apache-2.0
"""Makes the videos: python -m benchmarks.captions.footage --output FOLDER."""

import argparse
from pathlib import Path

from benchmarks.captions.footage.plan import PARTS, SETS, videos
from benchmarks.captions.footage.writing import write_captioned


def main() -> None:
    """Write the videos that are not there yet."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.captions.footage")
    parser.add_argument("--output", type=Path, required=True, help="folder of the videos")
    parser.add_argument("--sets", nargs="*", choices=SETS, default=SETS)
    parser.add_argument("--parts", nargs="*", choices=PARTS, default=PARTS)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    for part in arguments.parts:
        for name in arguments.sets:
            for video in videos(name, part, arguments.output):
                print(write_captioned(video, arguments.output / name), flush=True)


if __name__ == "__main__":
    main()
