# SPDX-License-Identifier: Apache-2.0
"""A test as JSON and CSV. Times of samples and snapshots are seconds since the test's beginning."""

import csv
import dataclasses
import io
from collections.abc import Mapping, Sequence
from typing import Any

from trireel_client.load_test.drive.level_run import LevelRun
from trireel_client.load_test.drive.samples import Sample
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.judge.summary import LevelSummary
from trireel_client.load_test.statistics import Spread
from trireel_client.load_test.video_names import video_name
from trireel_client.load_test.watch.machine import describe
from trireel_client.load_test.watch.scrape import Series
from trireel_client.load_test.watch.snapshots import Snapshot
from trireel_schema.stages import TIMING_STAGES

FORMAT = 1  # of the JSON; raise it if a field changes its meaning or is removed
SPREAD = ("mean", "p50", "p95", "p99", "max")


def result_to_json(result: TestResult, *, with_samples: bool) -> dict[str, Any]:
    """Return the result as plain values, with every video if `with_samples`."""
    plan = result.plan
    return {
        "format": FORMAT,
        "began_at": result.began_at.isoformat(),
        "server": {
            "address": str(result.address),
            "name": result.server.name,
            "version": result.server.version,
            "models": {name: dataclasses.asdict(one) for name, one in result.capacities.items()},
        },
        "load_generator": describe(),
        "plan": {
            "videos": [video_name(video) for video in plan.videos],
            "mode": plan.mode.value,
            "duration_seconds": plan.duration_seconds,
            "warm_up_seconds": plan.warm_up_seconds,
            "timeout_seconds": plan.timeout_seconds,
            "most_in_flight": plan.most_in_flight,
            "options": dict(plan.options),
        },
        "interrupted": result.interrupted,
        "notes": list(result.notes),
        "levels": [
            _level(run, summary, result.began_seconds, with_samples)
            for run, summary in zip(result.runs, result.summaries, strict=True)
        ],
        "looks": [_snapshot(snapshot, result.began_seconds) for snapshot in result.snapshots],
    }


def levels_csv(summaries: Sequence[LevelSummary]) -> str:
    """Return a row a level, with units in the headings; a value that is not known is empty."""
    rows = [level_row(one) for one in summaries]
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0] if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def level_row(one: LevelSummary) -> dict[str, Any]:
    """Return a level's numbers by name."""
    machine = {
        field.name: getattr(one.machine, field.name) for field in dataclasses.fields(one.machine)
    }
    return {
        "loop": "open" if one.level.is_open else "closed",
        "concurrency": one.level.concurrency,
        "rate": one.level.rate,
        "seconds": one.seconds,
        **dataclasses.asdict(one.counts),
        "success_rate": one.counts.success_rate,
        **{f"{name}_per_second": value for name, value in dataclasses.asdict(one.rates).items()},
        **_spread("latency", "_seconds", one.latency),
        "latency_p99_over_p50": None if one.latency is None else one.latency.p99_over_p50,
        **_spread("first_chunk", "_seconds", one.first_chunk),
        **_spread("chunk", "_seconds", one.chunk),
        **{
            key: value
            for stage in TIMING_STAGES
            for key, value in _spread(stage, "_ms", one.stages_ms.get(stage)).items()
        },
        **machine,
        "limit": one.findings[0].limit,
    }


def _spread(what: str, unit: str, spread: Spread | None) -> dict[str, float | None]:
    return {
        f"{what}_{name}{unit}": None if spread is None else getattr(spread, name) for name in SPREAD
    }


def _level(
    run: LevelRun, summary: LevelSummary, origin_seconds: float, with_samples: bool
) -> dict[str, Any]:
    level = {
        "name": run.level.name,
        **dataclasses.asdict(summary),
        "success_rate": summary.counts.success_rate,
        "models": [
            {
                **dataclasses.asdict(load),
                "utilisation": load.utilisation,
                "batch": load.batch,
                "queue_ms": load.queue_ms,
                "busy_ms": load.busy_ms,
            }
            for load in summary.models
        ],
        "began_seconds": run.began_seconds - origin_seconds,
        "window_begin_seconds": run.window.begin_seconds - origin_seconds,
        "window_end_seconds": run.window.end_seconds - origin_seconds,
    }
    if with_samples:
        level["samples"] = [_sample(one, run, origin_seconds) for one in run.samples]
    return level


def _sample(one: Sample, run: LevelRun, origin_seconds: float) -> dict[str, Any]:
    sample = dataclasses.asdict(one)
    for name in ("due_seconds", "began_seconds", "ended_seconds"):
        sample[name] -= origin_seconds
    sample["chunk_at_seconds"] = [at - origin_seconds for at in one.chunk_at_seconds]
    return {**sample, "counted": run.window.holds(one.due_seconds)}


def _snapshot(snapshot: Snapshot, origin_seconds: float) -> dict[str, Any]:
    return {
        "at_seconds": snapshot.at_seconds - origin_seconds,
        "server": snapshot.server and dataclasses.asdict(snapshot.server),
        "machine": dataclasses.asdict(snapshot.machine),
        "client_cpu_seconds": snapshot.client_cpu_seconds,
        "lag_max_seconds": max(snapshot.lags_seconds, default=0.0),
        "metrics": _metrics(snapshot.scrape.values) if snapshot.scrape else None,
    }


def _metrics(values: Mapping[Series, float]) -> dict[str, float]:
    """Return the series that are not 0, each under its metric, model and detail."""
    return {" ".join(filter(None, series)): value for series, value in values.items() if value}
