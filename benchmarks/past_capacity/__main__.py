# SPDX-License-Identifier: Apache-2.0
"""A closed loop of 4 to 256 clients against a server with default settings.

Each client requests a whole video; rejected, it retries after the time that the server names.
"""

import asyncio
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common.clips import short_clips
from benchmarks.common.footprint import Footprint
from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.common.server import running, served
from benchmarks.past_capacity.benchmark import BENCHMARK
from benchmarks.past_capacity.load import run_level
from trireel_backend.launch.signals import unwind_on_signals

CLIENTS = (4, 64, 128, 256)
WARM_UP_SECONDS = 7.0  # as long as the last in a full waiting room waits


def run_round(clips: list[Path], seconds: float) -> list[dict[str, Any]]:
    """Start a server and load it at every level."""
    command = served("--media", str(clips[0].parent))
    videos = [clip.name for clip in clips]
    with running(command) as (footprint, _):
        asyncio.run(run_level(command.address, videos, 4, 0.0, 3.0))
        return [
            _measure(command.address, videos, clients, seconds, footprint) for clients in CLIENTS
        ]


def _measure(
    address: str, videos: list[str], clients: int, seconds: float, footprint: Footprint
) -> dict[str, Any]:
    with footprint.sampled() as totals:
        level = asyncio.run(run_level(address, videos, clients, WARM_UP_SECONDS, seconds))
    print(
        f"  {clients:3} clients: {len(level.admitted_ms) / seconds:.2f} videos/s,"
        f" {len(level.refused_ms) / seconds:.1f} rejected/s, {len(level.failures)} failures,"
        f" {max(totals):.0f} MiB",
        flush=True,
    )
    return asdict(level) | {"most_pss_mib": max(totals)}


def main() -> None:
    """Measure, and write the results after every round."""
    parser = BENCHMARK.parser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=15.0, help="window of every level")
    arguments = parser.parse_args()
    unwind_on_signals()
    rounds: list[list[dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as temporary:
        clips = short_clips(Path(temporary).resolve() / "clips")
        for number in range(1, arguments.rounds + 1):
            print(f"Round {number} of {arguments.rounds}", flush=True)
            rounds.append(run_round(clips, arguments.seconds))
            write_raw(arguments.output, {"machine": describe(), "rounds": rounds})


if __name__ == "__main__":
    main()
