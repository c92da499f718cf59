# SPDX-License-Identifier: Apache-2.0
"""Videos a second of a job, beside those of `trireel load-test` at its best concurrency."""

import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.common.record import ROOT
from trireel_app.analyse.servers import ServerLimits
from trireel_app.commands.batch import CLAIMS_PER_REQUEST
from trireel_app.commands.run import TEND_SECONDS
from trireel_app.engine.database import open_database
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.job import Form, JobSpec, JobState, RowKind
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, WorkerOptions
from trireel_app.sources.source import VideoSource
from trireel_client import AsyncTrireelClient, Retry

CONCURRENCIES = (2, 4, 8)
LEVEL_SECONDS = 15
WARM_UP_SECONDS = 5


def load_test(address: str, clips: Sequence[Path]) -> dict[int, float]:
    """Return the videos a second of `trireel load-test` by concurrency."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "trireel_client", "load-test", "--url", address]
        command += [part for clip in clips for part in ("--video", str(clip))]
        command += ["--concurrency", ",".join(map(str, CONCURRENCIES)), "--report", folder]
        command += ["--duration", str(LEVEL_SECONDS), "--warm-up", str(WARM_UP_SECONDS)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        with (Path(folder) / "levels.csv").open(newline="") as lines:
            rows = list(csv.DictReader(lines))
    return {int(row["concurrency"]): float(row["videos_per_second"]) for row in rows}


def job(address: str, clips: Sequence[Path], count: int, concurrency: int, folder: Path) -> float:
    """Return the videos a second of a job, from its first answers to its last one.

    Args:
        count: number of videos; each is another name of one of the clips.
    """
    folder.mkdir()
    names = [folder / f"{number}.mp4" for number in range(count)]
    for number, name in enumerate(names):
        os.link(clips[number % len(clips)], name)
    settled: list[float] = []
    store = JobStore(open_database(str(folder / "jobs.sqlite")))
    spec = JobSpec(
        output=str(folder / "out.jsonl"),
        form=Form.JSONL,
        rows=RowKind.CLIPS,
        options={},
        per_worker=CLAIMS_PER_REQUEST * concurrency,
    )
    job_id = store.create(spec, [VideoSource(str(name)) for name in names])
    options = WorkerOptions((address,), _client, ServerLimits(concurrency))

    def report(*_: Any) -> None:
        settled.append(time.monotonic())

    with Worker(store, DbosEngine(store.database), options, report) as worker:
        while store.job(job_id).state is not JobState.FINISHED:
            worker.tend()
            time.sleep(TEND_SECONDS)
    store.database.dispose()
    skipped = 2 * concurrency  # while it starts
    return (count - skipped - 1) / (settled[-1] - settled[skipped])


def _client(url: str) -> AsyncTrireelClient:
    return AsyncTrireelClient(url, retries=Retry(1))
