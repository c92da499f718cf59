# SPDX-License-Identifier: Apache-2.0
"""The commands `trireel jobs ...`."""

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from trireel_app.analyse.servers import ServerLimits
from trireel_app.commands.display import show_summary
from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.options import (
    DEFAULT_IN_FLIGHT,
    DEFAULT_LEASE_SECONDS,
    DEFAULT_REQUEST_SECONDS,
    DEFAULT_WAIT_SECONDS,
    Database,
    Quiet,
    ServerConcurrency,
    Urls,
    worker_options,
)
from trireel_app.commands.run import run_job
from trireel_app.engine.database import default_url, open_database
from trireel_app.errors import InvalidOption
from trireel_app.jobs.job import CANCELLED, Job, JobState, VideoState
from trireel_app.jobs.output import places
from trireel_app.jobs.output.parts import parts_folder
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.submit import resume as resume_job
from trireel_app.jobs.tables import VIDEOS

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Show, cancel, and go on with the jobs of `trireel batch`.",
)

JobName = Annotated[str, typer.Argument(metavar="JOB", help="Name of the job, or its beginning.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON alone.")]
Detach = Annotated[bool, typer.Option("--detach", help="Leave the work to `trireel worker`.")]


@app.command("list")
def list_jobs(database: Database = None, as_json: AsJson = False) -> None:
    """List all jobs, newest first."""
    with errors_as_sentences():
        found = _store(database).jobs()
    if as_json:
        for job in found:
            typer.echo(json.dumps(_facts(job)))
        return
    table = Table("job", "begun", "state", "videos", "failed", "output", box=None)
    for job in found:
        progress = job.progress
        table.add_row(
            job.id,
            datetime.fromtimestamp(job.created_at).strftime("%Y-%m-%d %H:%M"),
            job.state,
            f"{progress.settled}/{progress.total}",
            str(progress.failed),
            Text(job.spec.output),
        )
    Console().print(table)


@app.command()
def show(name: JobName, database: Database = None, as_json: AsJson = False) -> None:
    """Show one job: how far it is, its slowest videos, and those that failed."""
    with errors_as_sentences():
        store = _store(database)
        job = store.job(name)
        if not as_json:
            show_summary(Console(), job, store.videos(job.id))
            return
        failed = store.videos(job.id, VIDEOS.c.state == VideoState.FAILED)
        failures = [
            {"video_path": video.source.uri, "error": video.outcome.reason}
            for video in failed
            if video.outcome
        ]
        typer.echo(json.dumps({**_facts(job), "failures": failures}))


@app.command()
def cancel(name: JobName, database: Database = None) -> None:
    """Stop a job; workers end its requests, and `trireel jobs resume` goes on."""
    with errors_as_sentences():
        store = _store(database)
        job = store.job(name)
        if not store.move(job.id, JobState.RUNNING, JobState.STOPPED, CANCELLED):
            raise InvalidOption(f"job {job.id} is {job.state}: only a running job can be cancelled")
    typer.echo(f"job {job.id} is stopped")


@app.command()
def resume(
    name: JobName,
    database: Database = None,
    url: Urls = None,
    server_concurrency: ServerConcurrency = DEFAULT_IN_FLIGHT,
    detach: Detach = False,
    quiet: Quiet = False,
) -> None:
    """Go on with a job; videos that changed since their answers are analysed again."""
    with errors_as_sentences():
        _go_on(_store(database), name, url, server_concurrency, detach, quiet, failed=False)


@app.command("retry-failed")
def retry_failed(
    name: JobName,
    database: Database = None,
    url: Urls = None,
    server_concurrency: ServerConcurrency = DEFAULT_IN_FLIGHT,
    detach: Detach = False,
    quiet: Quiet = False,
) -> None:
    """Analyse the videos again that failed, and write the output again."""
    with errors_as_sentences():
        _go_on(_store(database), name, url, server_concurrency, detach, quiet, failed=True)


@app.command()
def remove(name: JobName, database: Database = None) -> None:
    """Forget a job that is not running; its output stays."""
    with errors_as_sentences():
        store = _store(database)
        job = store.job(name)
        if job.state in (JobState.RUNNING, JobState.WRITTEN):
            raise InvalidOption(f"job {job.id} is {job.state}: cancel it first")
        places.remove_folder(parts_folder(job.id, job.spec))
        store.erase(job.id)
    typer.echo(f"job {job.id} is removed")


def _go_on(
    store: JobStore,
    name: str,
    urls: list[str] | None,
    server_concurrency: int,
    detach: bool,
    is_quiet: bool,
    *,
    failed: bool,
) -> None:
    job = store.job(name)
    if failed and job.progress.failed == 0:
        raise InvalidOption(f"job {job.id} has no failed videos")
    submitted = resume_job(store, job, failed=failed)
    for uri in submitted.changed:
        typer.echo(f"trireel: {uri} has changed and is analysed again", err=True)
    if detach:
        return
    limits = ServerLimits(server_concurrency, None, DEFAULT_WAIT_SECONDS)
    options = worker_options(
        urls, limits, DEFAULT_REQUEST_SECONDS, DEFAULT_LEASE_SECONDS, None, job.id
    )
    run_job(store, options, is_quiet)


def _store(database: str | None) -> JobStore:
    return JobStore(open_database(database or default_url()))


def _facts(job: Job) -> dict[str, Any]:
    progress = job.progress
    return {
        "job": job.id,
        "state": job.state,
        "note": job.note,
        "created_at": job.created_at,
        "videos": progress.total,
        "done": progress.done,
        "failed": progress.failed,
        "video_seconds": progress.video_seconds,
        "output": job.spec.output,
        "options": dict(job.spec.options),
    }
