# SPDX-License-Identifier: Apache-2.0
"""Random requests of every extension of the protocol: the server lives, or is back in seconds.

Run: python -m benchmarks.hostile.fuzz [--requests 10000] [--seed 1] [--output FILE]
(needs scripts/setup test). The exit status is 1 if the server was away for longer than
--most-seconds.
"""

import argparse
import json
import random
import sys
import time
from pathlib import Path

from benchmarks.common.machine import describe
from benchmarks.common.server import running, served
from benchmarks.hostile.requests import random_request
from benchmarks.hostile.send import Outcome, Target, send_all
from trireel_backend.launch.signals import unwind_on_signals

GIVE_UP_SECONDS = 90.0
RESTARTS = "100"


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--most-seconds", type=float, default=5.0, help="longest outage allowed")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the figures to FILE")
    return parser


def main() -> int:
    """Send the requests; return the exit status."""
    arguments = create_parser().parse_args()
    unwind_on_signals()
    rng = random.Random(arguments.seed)
    command = served("--restarts", RESTARTS)
    with running(command):
        begin = time.monotonic()
        requests = (random_request(rng) for _ in range(arguments.requests))
        outcome = send_all(Target(command.http, command.address), requests, GIVE_UP_SECONDS)
        seconds = time.monotonic() - begin
    figures = _figures(outcome, seconds, arguments.seed)
    print(json.dumps(figures, indent=1))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(figures, indent=1) + "\n")
    return int(any(seconds > arguments.most_seconds for _, seconds in outcome.outages))


def _figures(outcome: Outcome, seconds: float, seed: int) -> dict[str, object]:
    return {
        "machine": describe(),
        "seed": seed,
        "requests": outcome.statuses.total(),
        "seconds": round(seconds, 1),
        "outages": [{"request": request, "seconds": away} for request, away in outcome.outages],
        "statuses": dict(sorted(outcome.statuses.items())),
    }


if __name__ == "__main__":
    sys.exit(main())
