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
DEFAULT_CONCURRENCY = "1,2,4,8"
INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


@dataclass(frozen=True)
class Asked:
    """The command's options, as they were given; what they mean, `options.py` says."""

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


def load_test(asked: Asked) -> int:
    """Run a test, show it, write its report, and return the exit status.

    Raises:
        TrireelError: nothing was measured.
    """
    check_extra()
    # Needs the extra.
    from rich.console import Console

    from trireel_client.load_test.session import run_test
    from trireel_client.load_test.show.report import check_folder, write_report
    from trireel_client.load_test.show.terminal import LiveShow, results_console, show_result

    plan = plan_of(asked)
    if asked.report is not None:
        check_folder(asked.report)
    watched, notes = _watched(asked)
    errors = Console(stderr=True)
    for note in notes:
        errors.print(note, style="yellow", soft_wrap=True)
    with LiveShow(plan, errors) as show:
        result = asyncio.run(run_test(plan, asked.connection, watched, show))
    try:  # where the one fails, the other is there all the same
        if asked.report is not None:
            page = write_report(asked.report, result, with_samples=asked.with_samples)
            errors.print(f"report: {page}", soft_wrap=True)
    finally:
        show_result(results_console(), result)
    if result.interrupted:
        return INTERRUPTED
    return 0 if any(one.counts.ok for one in result.summaries) else 1


def check_extra() -> None:
    """Check that the packages only load tests need are there; raises MissingExtra."""
    missing = [name for module, name in EXTRA.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise MissingExtra(
            f"load tests need {', '.join(missing)}: pip install 'trireel-client[load-test]'"
        )


def plan_of(asked: Asked) -> Plan:
    """Return the plan that options ask for; raises TrireelError."""
    if asked.mode is Mode.STREAM and asked.connection.protocol == "http":
        raise InvalidPlan("--mode stream needs --protocol grpc")
    videos = tuple(_source(video, asked.server_path) for video in asked.videos)
    options = {name: value for name, value in asked.options.items() if value is not None}
    # What cannot be asked for is no failure of the server.
    for video in videos:
        classify(video)
    if asked.mode is Mode.SEQUENCE:
        step_inputs(cast(StepOptions, options))
    else:
        analysis_inputs(cast(AnalysisOptions, options))
    return Plan(
        videos=videos,
        levels=_levels(asked),
        mode=asked.mode,
        duration_seconds=asked.duration_seconds,
        warm_up_seconds=asked.warm_up_seconds,
        timeout_seconds=asked.timeout_seconds,
        most_in_flight=asked.most_in_flight,
        options=options,
    )


def _levels(asked: Asked) -> tuple[Level, ...]:
    concurrency = asked.concurrency
    if concurrency is None and asked.rate is None:
        concurrency = DEFAULT_CONCURRENCY
    closed = closed_levels(concurrency) if concurrency is not None else ()
    return closed + (open_levels(asked.rate) if asked.rate is not None else ())


def _source(video: str, server_path: bool) -> Source:
    return ServerPath(video) if server_path else video


def _metrics(asked: Asked) -> tuple[Address | None, list[str]]:
    from trireel_client.load_test.watch.scrape import read_metrics

    url, host = asked.metrics_url, asked.connection.address.host
    address = Address(host, METRICS_PORT) if url is None else Address.parse(url)
    try:
        read_metrics(address)
    except NothingToWatch as error:
        if url is not None:
            raise
        return None, [f"{error}; give --metrics-url to have the server's"]
    return address, []


def _watched(asked: Asked) -> "tuple[Watched, list[str]]":
    """Return what can be looked at, and what cannot though nobody asked for it."""
    from trireel_client.load_test.session import Watched
    from trireel_client.load_test.watch.processes import ServerProcesses, listening_process

    address = asked.connection.address
    metrics, notes = _metrics(asked)
    process_id = asked.server_pid or listening_process(address)
    if process_id is None and address.is_loopback:
        notes.append("no process is seen to listen there: give --server-pid to have its CPU")
    server = None if process_id is None else ServerProcesses(process_id)
    return Watched(metrics, server, server is not None or address.is_loopback), notes
