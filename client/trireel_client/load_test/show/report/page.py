# SPDX-License-Identifier: Apache-2.0
"""A test as one page of HTML that needs no other file."""

from collections.abc import Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trireel_client.load_test.judge.remarks import best, remarks
from trireel_client.load_test.judge.result import TestResult
from trireel_client.load_test.show.report.charts import Chart
from trireel_client.load_test.show.report.drawing import svg_of
from trireel_client.load_test.show.report.level_charts import level_charts
from trireel_client.load_test.show.report.time_charts import time_charts
from trireel_client.load_test.show.tables import (
    Table,
    chunks_table,
    failures_table,
    latency_table,
    levels_table,
    limits_table,
    machine_table,
    models_table,
    stages_table,
)
from trireel_client.load_test.video_names import video_name
from trireel_client.load_test.watch.machine import describe

TEMPLATE = "page.html.j2"
STYLE = "page.css"
GIB = 2**30


def render(result: TestResult) -> str:
    """Return the page."""
    # Everything is escaped: names of videos and errors come from outside.
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    folder = files(__package__)
    template = environment.from_string((folder / TEMPLATE).read_text(encoding="utf-8"))
    summaries = result.summaries
    return template.render(
        style=(folder / STYLE).read_text(encoding="utf-8"),
        result=result,
        best=best(summaries),
        remarks=(*remarks(result), *result.notes),
        limits=limits_table(summaries),
        tables=[
            levels_table(summaries),
            latency_table(summaries),
            chunks_table(summaries),
            failures_table(summaries),
        ],
        stages=stages_table(summaries),
        level_drawings=_drawings("level", level_charts(summaries)),
        time_drawings=_drawings("time", time_charts(result)),
        models=[models_table(one) for one in summaries],
        machine=machine_table(summaries),
        settings=_settings(result),
    )


def _drawings(name: str, charts: Sequence[Chart]) -> list[tuple[Chart, Markup]]:
    """Return charts with their drawings, whose texts matplotlib has escaped."""
    return [
        (chart, Markup(svg_of(chart, f"{name}-{number}"))) for number, chart in enumerate(charts, 1)
    ]


def _settings(result: TestResult) -> list[Table]:
    plan = result.plan
    generator = describe()
    packages = generator.pop("packages")
    memory_gib = generator.pop("memory_bytes") / GIB
    test = {
        "videos": ", ".join(video_name(video) for video in plan.videos),
        "mode": plan.mode.value,
        "measured": f"{plan.duration_seconds:g} s a level",
        "warm-up": f"{plan.warm_up_seconds:g} s a level, not counted",
        "timeout": f"{plan.timeout_seconds:g} s a request, never repeated",
        "most in flight": f"{plan.most_in_flight} (open loop)",
        **{name.replace("_", " "): str(value) for name, value in plan.options.items()},
    }
    server = {
        "address": str(result.address),
        "server": f"{result.server.name} {result.server.version}",
        **{
            name: f"{one.instances} instance{'s' if one.instances > 1 else ''}, {one.slots} at once"
            for name, one in result.capacities.items()
        },
    }
    return [
        _pairs("Test", test),
        _pairs("Server", server),
        _pairs("Load generator", {**generator, "memory": f"{memory_gib:.1f} GiB", **packages}),
    ]


def _pairs(title: str, pairs: Mapping[str, object]) -> Table:
    rows = tuple((name, str(value)) for name, value in pairs.items())
    return Table(title, ("what", "value"), rows)
