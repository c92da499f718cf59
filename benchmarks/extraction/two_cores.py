# SPDX-License-Identifier: Apache-2.0
"""Chunks per second of wall time on two cores: as a server does it, with two videos at once."""

import multiprocessing
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

from benchmarks.extraction.methods import FFMPEG_PROCESSES, METHODS, Job, ffmpeg_command
from benchmarks.extraction.peers import PEERS

WORKERS = 2
WARM_UP_SECONDS = 0.5  # keeps one worker from taking both starts
FFMPEG = "ffmpeg commands"
IN_WORKERS = {name: METHODS[name] for name in ("trireel", "bare decode")} | PEERS
NAMES = ("trireel", FFMPEG, *(name for name in IN_WORKERS if name != "trireel"))


@contextmanager
def workers() -> Iterator[ProcessPoolExecutor]:
    """Start processes that have imported all they need, as a server's have."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(WORKERS, mp_context=context) as pool:
        list(pool.map(_import_all, [WARM_UP_SECONDS] * WORKERS))
        yield pool


def run(pool: ProcessPoolExecutor, name: str, job: Job) -> int:
    """Sample one video a worker; the ffmpeg commands share all chunks, three at once.

    The videos are of the same clip, opened by each worker for itself. Returns how many frames there
    were.
    """
    if name != FFMPEG:
        return sum(pool.map(_run, [name] * WORKERS, [job] * WORKERS))
    chunks = [chunk for _ in range(WORKERS) for chunk in job.chunks()]
    with ThreadPoolExecutor(FFMPEG_PROCESSES) as threads:
        return sum(threads.map(lambda chunk: ffmpeg_command(job, chunk), chunks))


def _import_all(seconds: float) -> None:
    """Unpickling this function has imported the methods."""
    time.sleep(seconds)


def _run(name: str, job: Job) -> int:
    return IN_WORKERS[name](job)
