# SPDX-License-Identifier: Apache-2.0
"""The command `trireel worker`."""

import signal
import threading
import time
from typing import Annotated

import typer

from trireel_app import traces
from trireel_app.analyse.servers import ServerLimits
from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.options import (
    DEFAULT_IN_FLIGHT,
    DEFAULT_LEASE_SECONDS,
    DEFAULT_REQUEST_SECONDS,
    DEFAULT_WAIT_SECONDS,
    Database,
    LeaseSeconds,
    RequestSeconds,
    ServerConcurrency,
    ServerRate,
    Urls,
    WaitSeconds,
    worker_options,
)
from trireel_app.commands.run import TEND_SECONDS, pause_after
from trireel_app.engine.database import default_url, open_database, shown
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.engine.port import Task
from trireel_app.jobs.job import JobState, Outcome
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.tables import JOBS
from trireel_app.jobs.worker import Worker
from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    KeyFile,
    ServerName,
    TlsOption,
    tls_options,
)


def worker(
    url: Urls = None,
    server_concurrency: ServerConcurrency = DEFAULT_IN_FLIGHT,
    server_videos_per_minute: ServerRate = None,
    wait_seconds: WaitSeconds = DEFAULT_WAIT_SECONDS,
    timeout: RequestSeconds = DEFAULT_REQUEST_SECONDS,
    lease_seconds: LeaseSeconds = DEFAULT_LEASE_SECONDS,
    database: Database = None,
    until_idle: Annotated[
        bool, typer.Option("--until-idle", help="End when no job is running.")
    ] = False,
    drain_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds that videos in flight have at SIGTERM.")
    ] = 30.0,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Work on all jobs of the database, beside other workers, until SIGTERM or Ctrl-C."""
    stop = threading.Event()
    with errors_as_sentences():
        tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
        limits = ServerLimits(server_concurrency, server_videos_per_minute, wait_seconds)
        options = worker_options(url, limits, timeout, lease_seconds, tls_settings)
        store = JobStore(open_database(database or default_url()))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        traces.start("trireel-worker")
        with Worker(store, DbosEngine(store.database), options, _tell) as working:
            typer.echo(f"works on the jobs of {shown(store.database)}", err=True)
            trouble = ""
            pause = TEND_SECONDS
            while not stop.wait(pause):
                began = time.monotonic()
                working.tend()
                pause = pause_after(began)
                if working.trouble != trouble:
                    trouble = working.trouble
                    typer.echo(f"trireel: {trouble or 'all is well again'}", err=True)
                if until_idle and not _running(store):
                    break
            working.stop(drain_seconds if stop.is_set() else 0)


def _running(store: JobStore) -> bool:
    return bool(store.jobs(JOBS.c.state.in_([JobState.RUNNING, JobState.WRITTEN])))


def _tell(task: Task, outcome: Outcome) -> None:
    name = f"job {task.job_id}, video {task.number}: {outcome.state}"
    detail = outcome.reason or f"{outcome.duration_seconds:.1f} s in {outcome.busy_seconds:.1f} s"
    typer.echo(f"{name}, {detail}", err=True)
