# SPDX-License-Identifier: Apache-2.0
"""What durability costs a video: a job before a client whose answers are ready."""

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from benchmarks.common.record import ROOT
from benchmarks.durability.canned import READY, canned_options
from trireel_app.commands.run import TEND_SECONDS
from trireel_app.engine.database import VARIABLE, open_database
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.job import Form, JobSpec, JobState, RowKind
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, log_nothing
from trireel_app.sources.source import VideoSource

CONCURRENCY = 4
WARM_UP_VIDEOS = 20
TWO_SECONDS = 1.0
"""Seconds of an answer in the test of two workers: the server is not the limit."""
TWO_VIDEOS = 96


def price(database: str, clips: Sequence[Path], folder: Path) -> dict[str, Any]:
    """Return wall and CPU time a video of one worker, and the statements that it makes."""
    store = JobStore(open_database(database))
    statements: Counter[str] = Counter()
    spent = [0.0]
    _count(store.database, statements, spent)
    with Worker(
        store, DbosEngine(store.database), canned_options(0.0, CONCURRENCY), log_nothing
    ) as worker:
        _finish(store, worker, _job(store, clips[:WARM_UP_VIDEOS], folder / "warm.jsonl"))
        statements.clear()
        spent[0] = 0.0
        wall, cpu = time.monotonic(), time.process_time()
        _finish(store, worker, _job(store, clips, folder / "price.jsonl"))
        wall, cpu = time.monotonic() - wall, time.process_time() - cpu
    store.database.dispose()
    return {
        "videos": len(clips),
        "wall_ms": 1e3 * wall / len(clips),
        "cpu_ms": 1e3 * cpu / len(clips),
        "in_database_ms": 1e3 * spent[0] / len(clips),
        "statements": {
            name: count / len(clips) for name, count in statements.most_common() if name
        },
    }


def two_workers(database: str, clips: Sequence[Path], folder: Path) -> dict[str, float]:
    """Return the seconds of a job with one worker and with two, each in its own process."""
    store = JobStore(open_database(database))
    seconds = {}
    clips = clips[:TWO_VIDEOS]
    for count in (1, 2):
        with _workers(database, count):
            began = time.monotonic()
            job_id = _job(store, clips, folder / f"by-{count}.jsonl")
            while not _has_finished(store, job_id):
                time.sleep(TEND_SECONDS)
            seconds[str(count)] = time.monotonic() - began
    store.database.dispose()
    return seconds


@contextmanager
def _workers(database: str, count: int) -> Iterator[None]:
    command = [sys.executable, "-m", "benchmarks.durability.canned"]
    command += ["--seconds", str(TWO_SECONDS), "--concurrency", str(CONCURRENCY)]
    workers = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, VARIABLE: database},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        for worker in workers:
            assert worker.stdout is not None
            assert READY in worker.stdout.readline()
        yield
    finally:
        for worker in workers:
            with suppress(subprocess.TimeoutExpired):
                worker.communicate(timeout=30)
            worker.kill()


def _job(store: JobStore, clips: Sequence[Path], output: Path) -> str:
    spec = JobSpec(output=str(output), form=Form.JSONL, rows=RowKind.CLIPS, options={})
    return store.create(spec, [VideoSource(str(clip)) for clip in clips])


def _finish(store: JobStore, worker: Worker, job_id: str) -> None:
    while True:
        worker.tend()
        if _has_finished(store, job_id):
            return
        time.sleep(TEND_SECONDS)


def _has_finished(store: JobStore, job_id: str) -> bool:
    """Return whether a job has ended; raises RuntimeError if a video failed."""
    job = store.job(job_id)
    if job.progress.failed:
        raise RuntimeError(f"videos failed: {next(store.videos(job_id)).outcome}")
    return job.state is JobState.FINISHED


def _count(database: sa.Engine, statements: Counter[str], spent: list[float]) -> None:
    """Count statements by their first words, and the time in them."""

    @sa.event.listens_for(database, "before_cursor_execute")
    def _before(
        connection: Any, cursor: Any, text: str, values: Any, context: Any, many: bool
    ) -> None:
        connection.info["began"] = time.monotonic()

    @sa.event.listens_for(database, "after_cursor_execute")
    def _after(
        connection: Any, cursor: Any, text: str, values: Any, context: Any, many: bool
    ) -> None:
        spent[0] += time.monotonic() - connection.info["began"]
        words = text.split()
        table = next((word for word in words if "trireel_" in word or "workflow" in word), "")
        statements[f"{words[0]} {table}"[:60]] += 1
