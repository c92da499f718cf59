# SPDX-License-Identifier: Apache-2.0
"""The load generator's process, and what a system costs while it runs."""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from benchmarks.common.footprint import Footprint, busy_seconds
from benchmarks.common.record import ROOT
from benchmarks.common.server import Command

TIMEOUT_SECONDS = 600.0
Found = dict[str, Any]


def tell(**found: Any) -> None:
    """Write a line for the driver."""
    print(json.dumps(found), flush=True)


async def follow_commands(
    description: str | None,
    askers: Mapping[str, Callable[[str], Any]],
    obey: Callable[[Any, str, Found], Awaitable[None]],
) -> None:
    """Execute the driver's commands until standard input ends: the `main` of an Asker's process.

    Args:
        askers: makes the sender of requests from an address, by the name of the system.
        obey: executes a command with the sender and the address, and writes its result.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("system", choices=askers)
    parser.add_argument("address")
    arguments = parser.parse_args()
    asker = askers[arguments.system](arguments.address)
    tell(event="ready")
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await obey(asker, arguments.address, json.loads(line))
    finally:
        await asker.close()


class Asker:
    """The load generator's process."""

    def __init__(self, command: Command, module: str) -> None:
        """Start the process.

        Args:
            command: the system that it sends requests to.
            module: its code, with a `main` that reads commands and writes results.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, command.name, command.address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.stdin.close()
        if kind is not None:  # it may be in the middle of a level
            self._process.terminate()
        self._process.wait()

    def do(self, event: Callable[[str], None] = lambda name: None, **command: Any) -> Any:
        """Send a command and return its result; `event` is called with events on the way."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        while "event" in (found := self._read()):
            event(found["event"])
        (result,) = found.values()
        return result

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended; its error is above")
        found: dict[str, Any] = json.loads(line)
        return found


def watched(asker: Asker, footprint: Footprint, command: Found) -> Found:
    """Run a level; adds the CPU time of its window and the memory."""
    clocks = {}

    def event(name: str) -> None:
        clocks[name] = (footprint.cpu_seconds(), busy_seconds())

    with footprint.sampled() as totals:
        found: Found = asker.do(event, **command)
    totals.append(footprint.total_pss_mib())
    if "ended" not in clocks:
        raise RuntimeError(f"a level never had all its workers busy: {found['errors'][:3]}")
    own, busy = (b - a for a, b in zip(clocks["began"], clocks["ended"], strict=True))
    found["cpu_seconds"] = round(own, 3)
    found["others_cpu_seconds"] = round(busy - own - found["client_cpu_seconds"], 3)
    found["pss_mib"] = {"median": statistics.median(totals), "most": max(totals)}
    return found
