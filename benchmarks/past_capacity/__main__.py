# SPDX-License-Identifier: Apache-2.0
"""Past capacity: more clients than the server takes in, and what that is to those it has.

Run: python -m benchmarks.past_capacity --output benchmarks/past_capacity/results.json
(needs the environment of scripts/test). A closed loop of 4 to 256 clients, each of which asks for a
whole video and, refused, asks again when it was told to, or a little later. The server is as by
default: four whole videos under way on two CPUs, 64 waiting. A minute and a half a round.
"""

import argparse
import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.common.footprint import Footprint
from benchmarks.common.machine import describe
from benchmarks.common.server import running, served
from benchmarks.past_capacity.asking import ask_level
from benchmarks.peer_ray_serve.clips import make_clips
from trireel_backend.launch.signals import unwind_on_signals

CLIENTS = (4, 64, 128, 256)
WARM_UP_SECONDS = 7.0  # as long as one waits that comes last
SECONDS = 15.0


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="window of every level")
    parser.add_argument("--cache", type=Path, help="keeps the videos, by default temporary")
    return parser


def run_round(clips: list[Path], seconds: float) -> list[dict[str, Any]]:
    """Start a server and ask it at every level."""
    command = served("--media", str(clips[0].parent))
    videos = [clip.name for clip in clips]
    with running(command) as (footprint, _):
        asyncio.run(ask_level(command.address, videos, 4, 0.0, 3.0))
        return [
            _measure(command.address, videos, clients, seconds, footprint) for clients in CLIENTS
        ]


def _measure(
    address: str, videos: list[str], clients: int, seconds: float, footprint: Footprint
) -> dict[str, Any]:
    with footprint.sampled() as totals:
        level = asyncio.run(ask_level(address, videos, clients, WARM_UP_SECONDS, seconds))
    found = asdict(level) | {"most_pss_mib": max(totals)}
    print(
        f"  {clients:3} clients: {len(level.admitted_ms) / seconds:.2f} videos/s,"
        f" {len(level.refused_ms) / seconds:.1f} refused a second, {len(level.failures)} failures,"
        f" {max(totals):.0f} MiB",
        flush=True,
    )
    return found


def main() -> None:
    """Measure, and write the results after every round."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    rounds: list[list[dict[str, Any]]] = []
    with tempfile.TemporaryDirectory() as temporary:
        clips = make_clips((arguments.cache or Path(temporary)).resolve() / "clips")
        for number in range(1, arguments.rounds + 1):
            print(f"Round {number} of {arguments.rounds}", flush=True)
            rounds.append(run_round(clips, arguments.seconds))
            report = {"machine": describe(), "rounds": rounds}
            arguments.output.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
