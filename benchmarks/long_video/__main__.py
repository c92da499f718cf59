# SPDX-License-Identifier: Apache-2.0
"""Analyse whole videos of several lengths, each on a fresh server.

One H.264 clip of 20 s is repeated without encoding until the video is long enough. Memory is the
proportional set size (PSS) of all the server's processes, once a second.
"""

import statistics
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common.clips import H264_GOP_60, h264_gop_60, repeat
from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.common.whole_video import warm_server
from benchmarks.long_video.benchmark import BENCHMARK

CLIP_SECONDS = 20
WARM_UP_MINUTES = 2
MINUTES = (2, 10, 120)
EXTRACTORS = (1, 2)


def main() -> None:
    """Analyse all lengths and write the results."""
    parser = BENCHMARK.parser()
    parser.add_argument("--minutes", type=int, nargs="*", default=MINUTES)
    arguments = parser.parse_args()
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clip = h264_gop_60(folder)
        for minutes in {WARM_UP_MINUTES, *arguments.minutes}:
            repeat(clip, minutes * 60 // CLIP_SECONDS, folder / f"{minutes}.mkv")
        for minutes in arguments.minutes:
            for extractors in EXTRACTORS:
                options = ("--media", name, "--extractors", str(extractors))
                with warm_server(f"{WARM_UP_MINUTES}.mkv", *options) as server:
                    cost = server.cost(f"{minutes}.mkv")
                case = {"clip": H264_GOP_60, "minutes": minutes, "extractors": extractors}
                runs.append(asdict(cost) | case)
                print(case, cost, "PSS", statistics.median(cost.pss_mib), flush=True)
                write_raw(arguments.output, {"machine": describe(), "runs": runs})


if __name__ == "__main__":
    main()
