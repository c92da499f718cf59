# SPDX-License-Identifier: Apache-2.0
"""Load a server with a mix of videos, sizes and faults, and compare its state before and after.

The exit status is 1 if a check fails.
"""

import sys
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.soak.benchmark import BENCHMARK
from benchmarks.soak.load import Mix
from benchmarks.soak.run import Plan, run
from benchmarks.soak.verdict import checks
from trireel_backend.launch.signals import unwind_on_signals

MOST_SAMPLES = 400


def thinned(samples: list[Any], most: int = MOST_SAMPLES) -> list[Any]:
    """Return at most `most` samples at even distances; the last one is among them."""
    step = -(-len(samples) // most) or 1
    return samples[::-1][::step][::-1]


def main() -> int:
    """Run, write the report, and print the checks."""
    parser = BENCHMARK.parser()
    add = parser.add_argument
    add("--minutes", type=float, default=30.0, help="time under load, with the warm-up")
    add("--warm-up-minutes", type=float, default=3.0)
    add("--every-seconds", type=float, default=5.0, help="time between samples")
    add("--idle-seconds", type=float, default=20.0, help="life of an idle sequence")
    add("--seed", type=int, default=1)
    unread = "also streams that are not read: Triton 2.51 keeps their answers and stops late"
    add("--unread-streams", action="store_true", help=unread)
    arguments = parser.parse_args()
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
    write_raw(arguments.output, report)
    for check in found:
        print(f"{'passed' if check.passed else 'FAILED'}  {check.name}: {check.found}")
    for message in report["tally"]["wrong"]:
        print(f"  {message}")
    return 0 if all(check.passed for check in found) else 1


if __name__ == "__main__":
    sys.exit(main())
