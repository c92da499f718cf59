# SPDX-License-Identifier: Apache-2.0
"""The command `trireel load-test`, behind its options."""

import asyncio
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from trireel_client._config import Address
from trireel_client._options import (
    AnalysisOptions,
    StepOptions,
    analysis_inputs,
    step_inputs,
)
from trireel_client._sources import ServerPath, Source, classify
from trireel_client.load_test.drive.connection import Connection
from trireel_client.load_test.errors import InvalidPlan, MissingExtra, NothingToWatch
from trireel_client.load_test.plan import Level, Mode, Plan, closed_levels, open_levels

if TYPE_CHECKING:
    from trireel_client.load_test.session import Watched

EXTRA = {
    "jinja2": "Jinja2",
    "matplotlib": "matplotlib",
    "prometheus_client": "prometheus-client",
    "psutil": "psutil",
}
METRICS_PORT = 8002
USUAL_PORTS = (8000, 8001)  # with these, the metrics are usually on METRICS_PORT
DEFAULT_CONCURRENCY = "1,2,4,8"
INTERRUPTED = 130  # exit status of a command that Ctrl-C ended


@dataclass(frozen=True)
class LoadTestSettings:
    """The values of the command's options, which `options.py` explains."""

    videos: Sequence[str]
    server_path: bool
    connection: Connection
    mode: Mode
    concurrency: str | None
    rate: str | None
    duration_seconds: float
    warm_up_seconds: float
    timeout_seconds: float
    most_in_flight: int
    options: Mapping[str, Any]
    metrics_url: str | None
    server_pid: int | None
    report: Path | None
    with_samples: bool


def load_test(settings: LoadTestSettings) -> int:
    """Run a test, show it, write its report, and return the exit status.

    Raises:
        TrireelError: if nothing was measured.
    """
    check_extra()
    # Needs the extra.
    from rich.console import Console

    from trireel_client.load_test.session import run_test
    from trireel_client.load_test.show.report import check_folder, write_report
    from trireel_client.load_test.show.terminal import LiveShow, results_console, show_result

    plan = plan_of(settings)
    if settings.report is not None:
        check_folder(settings.report)
    watched, notes = _watched(settings)
    errors = Console(stderr=True)
    for note in notes:
        errors.print(note, style="yellow", soft_wrap=True)
    with LiveShow(plan, errors) as show:
        result = asyncio.run(run_test(plan, settings.connection, watched, show))
    try:  # show the result even if the report cannot be written
        if settings.report is not None:
            page = write_report(settings.report, result, with_samples=settings.with_samples)
            errors.print(f"report: {page}", soft_wrap=True)
    finally:
        show_result(results_console(), result)
    if result.interrupted:
        return INTERRUPTED
    return 0 if any(one.counts.ok for one in result.summaries) else 1


def check_extra() -> None:
    """Check that the packages of the extra are installed; raises MissingExtra."""
    missing = [name for module, name in EXTRA.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingExtra(f"load tests need {', '.join(missing)}: pip install {' '.join(missing)}")


def plan_of(settings: LoadTestSettings) -> Plan:
    """Return the plan of the options; raises TrireelError."""
    if settings.mode is Mode.STREAM and settings.connection.protocol == "http":
        raise InvalidPlan("--mode stream needs --protocol grpc")
    videos = tuple(_source(video, settings.server_path) for video in settings.videos)
    options = {name: value for name, value in settings.options.items() if value is not None}
    # A request that cannot be sent is not a failure of the server.
    for video in videos:
        classify(video)
    if settings.mode is Mode.SEQUENCE:
        step_inputs(cast(StepOptions, options))
    else:
        analysis_inputs(cast(AnalysisOptions, options))
    return Plan(
        videos=videos,
        levels=_levels(settings),
        mode=settings.mode,
        duration_seconds=settings.duration_seconds,
        warm_up_seconds=settings.warm_up_seconds,
        timeout_seconds=settings.timeout_seconds,
        most_in_flight=settings.most_in_flight,
        options=options,
    )


def _levels(settings: LoadTestSettings) -> tuple[Level, ...]:
    concurrency = settings.concurrency
    if concurrency is None and settings.rate is None:
        concurrency = DEFAULT_CONCURRENCY
    closed = closed_levels(concurrency) if concurrency is not None else ()
    return closed + (open_levels(settings.rate) if settings.rate is not None else ())


def _source(video: str, server_path: bool) -> Source:
    return ServerPath(video) if server_path else video


def _metrics(settings: LoadTestSettings) -> tuple[Address | None, list[str]]:
    from trireel_client.load_test.watch.scrape import read_metrics

    url, server = settings.metrics_url, settings.connection.address
    if url is None and server.port not in USUAL_PORTS:
        # On port 8002 of its host there may be the metrics of another server.
        return None, [f"give --metrics-url to read the metrics of the server at {server}"]
    address = Address(server.host, METRICS_PORT) if url is None else Address.parse(url)
    try:
        read_metrics(address)
    except NothingToWatch as error:
        if url is not None:
            raise
        return None, [f"{error}; give --metrics-url to read the server's metrics"]
    return address, []


def _watched(settings: LoadTestSettings) -> "tuple[Watched, list[str]]":
    """Return what can be measured, and notes on what cannot be measured."""
    from trireel_client.load_test.session import Watched
    from trireel_client.load_test.watch.processes import ServerProcesses, listening_process

    address = settings.connection.address
    metrics, notes = _metrics(settings)
    process_id = settings.server_pid or listening_process(address)
    if process_id is None and address.is_loopback:
        notes.append("no process is found that listens there: give --server-pid to measure its CPU")
    server = None if process_id is None else ServerProcesses(process_id)
    return Watched(metrics, server, server is not None or address.is_loopback), notes
