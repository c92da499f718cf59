# SPDX-License-Identifier: Apache-2.0
"""Full load with a mix of videos, sizes and faults, and what is left of it afterwards.

Run: python -m benchmarks.soak --minutes 30 --output benchmarks/soak/results.json
     python -m benchmarks.soak.table
(needs the environment of scripts/test and a quiet machine; with `weed` on PATH videos come from S3
too). The exit status is 1 where a check fails.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.soak.load import Mix
from benchmarks.soak.run import Plan, run
from benchmarks.soak.verdict import checks
from trireel_backend.launch.signals import unwind_on_signals

MOST_SAMPLES = 400


def create_parser() -> argparse.ArgumentParser:
    """Return the command's arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--output", type=Path, required=True)
    add("--minutes", type=float, default=30.0, help="under load, warm-up included")
    add("--warm-up-minutes", type=float, default=3.0)
    add("--every-seconds", type=float, default=5.0, help="between samples")
    add("--idle-seconds", type=float, default=20.0, help="after which a sequence is forgotten")
    add("--seed", type=int, default=1)
    add(
        "--unread-streams",
        action="store_true",
        help="streams too that nobody reads: Triton 2.51 keeps their answers and stops late",
    )
    return parser


def thinned(samples: list[Any], most: int = MOST_SAMPLES) -> list[Any]:
    """Return at most so many of the samples, evenly; the last is among them."""
    step = -(-len(samples) // most) or 1
    return samples[::-1][::step][::-1]


def main(argv: list[str] | None = None) -> int:
    """Run, write the report, and say what was found."""
    arguments = create_parser().parse_args(argv)
    unwind_on_signals()
    plan = Plan(
        seconds=(arguments.minutes - arguments.warm_up_minutes) * 60,
        warm_up_seconds=arguments.warm_up_minutes * 60,
        every_seconds=arguments.every_seconds,
        idle_seconds=arguments.idle_seconds,
        seed=arguments.seed,
        mix=Mix(unread_streams=arguments.unread_streams),
    )
    report = {"machine": describe(), **run(plan)}
    for name in ("warming", "samples"):
        report[name] = thinned(report[name])
    found = checks(report)
    report["checks"] = [vars(check) for check in found]
    arguments.output.write_text(json.dumps(report) + "\n")
    for check in found:
        print(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.found}")
    for words in report["tally"]["wrong"]:
        print(f"  {words}")
    return 0 if all(check.passed for check in found) else 1


if __name__ == "__main__":
    sys.exit(main())
