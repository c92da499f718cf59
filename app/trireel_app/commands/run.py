# SPDX-License-Identifier: Apache-2.0
"""Works on one job in this process until it has ended, with a display."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import typer
from rich.console import Console

from trireel_app.commands.display import Display, show_summary
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.job import JobState
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, WorkerOptions

TEND_SECONDS = 0.3
BUSY_FACTOR = 5.0
INTERRUPTED = 130


def run_job(store: JobStore, options: WorkerOptions, is_quiet: bool) -> None:
    """Work on the job of the options until it has ended, and print a summary.

    Raises:
        typer.Exit: with 1 if a video failed or the job was stopped, with 130 if this process was
            interrupted; the job then goes on with `trireel jobs resume`.
        LibraryError: if the database cannot be used.
    """
    assert options.job_id is not None
    job = store.job(options.job_id)
    began = time.monotonic()
    display = Display(Console(stderr=True), job, is_quiet)
    worker = Worker(store, DbosEngine(store.database), options, display.report)
    try:
        with termination_as_interrupt(), display, worker:
            while job.state in (JobState.RUNNING, JobState.WRITTEN):
                look = time.monotonic()
                worker.tend()
                job = store.job(job.id)
                display.update(job.progress, worker.trouble)
                time.sleep(pause_after(look))
    except KeyboardInterrupt as error:
        typer.echo(f"\ntrireel: go on with `trireel jobs resume {job.id}`", err=True)
        raise typer.Exit(INTERRUPTED) from error
    show_summary(Console(), job, store.videos(job.id), time.monotonic() - began)
    if job.state is JobState.STOPPED:
        typer.echo(f"trireel: go on with `trireel jobs resume {job.id}`", err=True)
    if job.state is JobState.STOPPED or job.progress.failed:
        raise typer.Exit(1)


def pause_after(began: float) -> float:
    """Return the seconds to wait after work that began then: counting a large job takes a while."""
    return max(TEND_SECONDS, BUSY_FACTOR * (time.monotonic() - began))


@contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM end this process as Ctrl-C does."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
