# SPDX-License-Identifier: Apache-2.0
"""Charts over the time of a test: queues, batches, processors, memory."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from trireel_client.load_test.judge.loads import gpu_memory
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.show.report.charts import Band, Chart, Line, Point, lines_of
from trireel_client.load_test.watch.capacity import ORCHESTRATORS
from trireel_client.load_test.watch.scrape import Scrape, grown
from trireel_client.load_test.watch.snapshots import Snapshot

GIB = 2**30
LEAST_SECONDS = 0.5
Between = Callable[[Snapshot, Snapshot], float | None]


def time_charts(result: TestResult) -> tuple[Chart, ...]:
    """Return the charts that have values."""
    history = _History(result)
    found = (
        history.chart(
            "Queue length",
            "Requests that wait for an instance of a model, at each snapshot.",
            "requests",
            history.by_model(Scrape.waiting),
        ),
        history.chart(
            "Executed batch",
            "Mean rows (frames, texts) that a model's instance worked on at once, since the last"
            " snapshot.",
            "rows",
            history.batches(),
        ),
        history.chart(
            "Videos and sequences",
            "Whole videos that were requested and not yet answered, waiting ones included, and"
            " sequences whose state the server keeps, up to 5 s old.",
            "count",
            history.gauges(
                ("open videos", _open_videos),
                ("open sequences", lambda one: one.total("trireel_live_sequences")),
            ),
        ),
        history.chart(
            "CPU",
            "CPUs that were busy since the last snapshot: by the server's processes, by the load"
            " generator, and on this machine in all.",
            "CPUs",
            history.cpus(),
        ),
        history.chart(
            "Memory of the server's processes",
            "Memory of its processes; shared memory counts once.",
            "GiB",
            history.between(("server", _memory_gib)),
        ),
        history.chart(
            "GPU",
            "Share of the time in which GPUs computed, and of their memory that was in use.",
            "%",
            history.gauges(
                ("busy", lambda one: _percent(one.mean("nv_gpu_utilization"))),
                ("memory", lambda one: _percent(gpu_memory(one))),
            ),
        ),
    )
    return tuple(chart for chart in found if chart.has_values)


class _History:
    """The snapshots of a test, as lines."""

    def __init__(self, result: TestResult) -> None:
        self._snapshots = _spaced(result.snapshots)
        self._origin = result.began_seconds
        self._bands = tuple(
            Band(
                f"{run.level.value:g}",
                run.window.begin_seconds - self._origin,
                run.window.end_seconds - self._origin,
            )
            for run in result.runs
        )

    def chart(self, title: str, description: str, y_label: str, lines: tuple[Line, ...]) -> Chart:
        return Chart(title, description, "seconds", y_label, lines, bands=self._bands)

    def gauges(self, *gauges: tuple[str, Callable[[Scrape], float | None]]) -> tuple[Line, ...]:
        lines = [
            (
                name,
                [
                    (self._at(snapshot), value(snapshot.scrape))
                    for snapshot in self._snapshots
                    if snapshot.scrape
                ],
            )
            for name, value in gauges
        ]
        return lines_of([(name, points) for name, points in lines if any(y for _, y in points)])

    def by_model(self, value: Callable[[Scrape, str], float]) -> tuple[Line, ...]:
        def of(model: str) -> Callable[[Scrape], float]:
            return lambda scrape: value(scrape, model)

        return self.gauges(*((model, of(model)) for model in self._models()))

    def batches(self) -> tuple[Line, ...]:
        def of(model: str) -> Between:
            return lambda before, snapshot: _batch(before, snapshot, model)

        lines = self.between(*((model, of(model)) for model in self._models()))
        return tuple(line for line in lines if any((y or 0.0) > 1 for _, y in line.points))

    def cpus(self) -> tuple[Line, ...]:
        return self.between(
            ("server", _server_cpus), ("load generator", _client_cpus), ("this machine", _machine)
        )

    def between(self, *values: tuple[str, Between]) -> tuple[Line, ...]:
        """Return lines of values between each snapshot and the one before."""
        lines: list[tuple[str, Sequence[Point]]] = [
            (
                name,
                [
                    (self._at(snapshot), value(before, snapshot))
                    for before, snapshot in pairwise(self._snapshots)
                ],
            )
            for name, value in values
        ]
        return lines_of(lines)

    def _at(self, snapshot: Snapshot) -> float:
        return snapshot.at_seconds - self._origin

    def _models(self) -> tuple[str, ...]:
        return next(
            (snapshot.scrape.models() for snapshot in self._snapshots if snapshot.scrape), ()
        )


def _spaced(snapshots: Sequence[Snapshot]) -> tuple[Snapshot, ...]:
    """Leave out snapshots that follow another at once: CPU time is counted in ticks of 10 ms."""
    kept: list[Snapshot] = []
    for snapshot in snapshots:
        if not kept or snapshot.at_seconds - kept[-1].at_seconds >= LEAST_SECONDS:
            kept.append(snapshot)
    return tuple(kept)


def _open_videos(scrape: Scrape) -> float:
    # A model does not know the videos that wait in Triton's queue for it.
    return scrape.total("trireel_open_videos") + sum(
        scrape.in_queue(model) for model in ORCHESTRATORS
    )


def _batch(before: Snapshot, snapshot: Snapshot, model: str) -> float | None:
    if before.scrape is None or snapshot.scrape is None:
        return None
    change = grown(before.scrape, snapshot.scrape)
    executions = change.total("nv_inference_exec_count", model)
    return change.total("nv_inference_count", model) / executions if executions else None


def _server_cpus(before: Snapshot, snapshot: Snapshot) -> float | None:
    if before.server is None or snapshot.server is None:
        return None
    return (snapshot.server.cpu_seconds - before.server.cpu_seconds) / _seconds(before, snapshot)


def _memory_gib(_: Snapshot, snapshot: Snapshot) -> float | None:
    return None if snapshot.server is None else snapshot.server.memory_bytes / GIB


def _client_cpus(before: Snapshot, snapshot: Snapshot) -> float | None:
    return (snapshot.client_cpu_seconds - before.client_cpu_seconds) / _seconds(before, snapshot)


def _machine(before: Snapshot, snapshot: Snapshot) -> float | None:
    total_seconds = snapshot.machine.total_seconds - before.machine.total_seconds
    if not total_seconds:
        return None
    busy_seconds = snapshot.machine.busy_seconds - before.machine.busy_seconds
    return snapshot.machine.cpus * busy_seconds / total_seconds


def _seconds(before: Snapshot, snapshot: Snapshot) -> float:
    return max(1e-3, snapshot.at_seconds - before.at_seconds)


def _percent(share: float | None) -> float | None:
    return None if share is None else 100 * share
