# SPDX-License-Identifier: Apache-2.0
"""A gateway in a process of its own."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.common.record import ROOT

START_SECONDS = 120.0
STOP_SECONDS = 30.0
NO_LIMIT = ("--requests-per-minute", "1000000")


@contextmanager
def gateway_process(
    folder: Path, *options: object
) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """Serve a folder's `jobs.sqlite`, `library` and `uploads`; yield the address and the process.

    Args:
        options: further options of `trireel gateway`.

    Raises:
        httpx.HTTPError: if it does not become ready.
    """
    command = [sys.executable, "-m", "trireel_client", "gateway", "--port", "0", *NO_LIMIT]
    command += ["--database", folder / "jobs.sqlite", "--library", folder / "library"]
    command += ["--uploads", folder / "uploads", *options]
    process = subprocess.Popen(list(map(str, command)), cwd=ROOT, stderr=subprocess.PIPE)
    try:
        assert process.stderr is not None
        url = process.stderr.readline().decode().strip()
        _wait_until_ready(url)
        yield url, process
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
        if process.stderr is not None:
            process.stderr.close()


def _wait_until_ready(url: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            httpx.get(f"{url}/readyz").raise_for_status()
            return
        except httpx.HTTPError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
