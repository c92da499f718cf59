# SPDX-License-Identifier: Apache-2.0
"""Writes dashboards/trireel.json, which is what Grafana reads; the panels are described here."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OUTPUT = Path(__file__).parent / "dashboards/trireel.json"
SCHEMA_VERSION = 42
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
COLUMNS = 24
JOB = 'job=~"$job"'
OWN = f'{JOB},instance=~"$instance"'
MODEL = f'{OWN},model=~"$model"'
TOWER = f'{OWN},model="siglip_vision"'
RULE = f'{JOB},model=~"$model"'


@dataclass(frozen=True)
class Panel:
    """A panel: what it asks and how it is drawn."""

    title: str
    description: str
    queries: dict[str, str]
    """Expressions by legend."""
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8  # of 24
    height: int = 8
    thresholds: tuple[tuple[float, str], ...] = ()  # from which value on which colour
    stacked: bool = False
    most: float | None = None  # top of the axis


@dataclass(frozen=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def stat(title: str, description: str, query: str, **options: Any) -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, description, {"": query}, kind="stat", width=4, height=4, **options)


def rate(metric: str, by: str, selector: str = OWN) -> str:
    """Return a counter's growth a second, summed over all other labels."""
    return f"sum by ({by}) (rate({metric}{{{selector}}}[$__rate_interval]))"


def mean_seconds(kind: str) -> str:
    """Return the mean of one of Triton's durations over a model's requests."""
    durations = rate(f"nv_inference_{kind}_duration_us", "model", MODEL)
    return f"{durations} / 1e6 / ({rate('nv_inference_request_success', 'model', MODEL)} > 0)"


def quantiles(histogram: str, by: str, selector: str) -> dict[str, str]:
    """Return the quantiles of a histogram by legend."""
    buckets = rate(f"{histogram}_bucket", f"le, {by}", selector)
    shown = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
    return {f"{p} {{{{{by}}}}}": f"histogram_quantile({q}, {buckets})" for p, q in shown.items()}


WHOLE = "trireel_video_analysis_duration_seconds"
LOST = "trireel_extractor_workers_lost_total"
FAILURE = "nv_inference_request_failure"
FIRST = "nv_inference_first_response_histogram_ms"

ROWS = (
    Row("At a glance", (
        stat("Servers", "Servers whose metrics can be had.",
             f"sum(up{{{OWN}}})", thresholds=((0, "red"), (1, "green"))),
        stat("Alerts", "Alerts of deploy/prometheus/alerts.yml that fire.",
             'count(ALERTS{alertname=~"Trireel.*",alertstate="firing"}) or vector(0)',
             thresholds=((1, "red"),)),
        stat("Times real time", "Seconds of video analysed in a second.",
             f"sum(job:trireel_video_seconds:rate5m{{{JOB}}})", unit="none"),
        stat("Frames a second", "Frames through the vision tower.",
             f"sum(job:trireel_frames:rate5m{{{JOB}}})", unit="none"),
        stat("Open videos", "Whole videos asked for and not yet answered.",
             f"sum(trireel_open_videos{{{OWN}}})"),
        stat("Failed videos", "Share of whole videos that failed through no fault of the request.",
             f'sum(rate(trireel_videos_total{{{OWN},outcome="failed"}}[$__rate_interval]))'
             f" / (sum(rate(trireel_videos_total{{{OWN}}}[$__rate_interval])) > 0)",
             unit="percentunit", thresholds=((0.001, "orange"), (0.01, "red"))),
    )),
    Row("Throughput", (
        Panel("Frames", "Sampled from videos, and through the vision tower.",
              {"extracted": f"sum({rate('trireel_frames_extracted_total', 'job')})",
               "encoded": f"sum({rate('nv_inference_count', 'job', TOWER)})"},
              unit="cps"),
        Panel("Whole videos", "By outcome: refused is the request's fault, failed is not; full was"
              " not let in.",
              {"{{outcome}}": rate("trireel_videos_total", "outcome")}, unit="cps", stacked=True),
        Panel("Video seconds", "Seconds of video decoded in a second: how many times real time.",
              {"{{instance}}": rate("trireel_video_seconds_total", "instance")}, unit="none"),
        Panel("Chunks and cuts", "Chunks decoded, and scene changes found in them.",
              {"chunks": f"sum({rate('trireel_chunks_total', 'job')})",
               "cuts": f"sum({rate('trireel_cuts_total', 'job')})"}, unit="cps"),
        Panel("Questions to describe", "By what became of them at a backend; skipped means that it"
              " was left out or had no budget.",
              {"{{outcome}}": rate("trireel_describe_backends_total", "outcome"),
               "in flight": f"sum(trireel_describe_open{{{OWN}}})"}, unit="none"),
        Panel("Tokens of describe", "Tokens of complete answers in a second.",
              {"tokens": f"sum({rate('trireel_describe_tokens_total', 'job')})"}, unit="none"),
        Panel("Where the time goes", "Busy seconds a second of each stage of whole videos; encode"
              " holds the tower's queue. Stages overlap.",
              {"{{stage}}": rate("trireel_stage_seconds_total", "stage")}, unit="none",
              stacked=True),
        Panel("Requests", "Answered by each model, whatever the answer.",
              {"{{model}}": f"sum by (model) (model:trireel_requests:rate5m{{{RULE}}})"},
              unit="reqps"),
    )),
    Row("Latency", (
        Panel("Whole videos", "Wall time from arrival to last answer, of those that are answered."
              " Includes waiting for a place among the videos in flight.",
              quantiles(WHOLE, "model", OWN), unit="s"),
        Panel("Queue time", "Mean wait of a request before its model begins.",
              {"{{model}}": mean_seconds("queue")}, unit="s", thresholds=((0.5, "red"),)),
        Panel("Compute time", "Mean time of a request in its model.",
              {"{{model}}": mean_seconds("compute_infer")}, unit="s"),
        Panel("Request time", "Mean time from arrival to answer, queue included.",
              {"{{model}}": mean_seconds("request")}, unit="s"),
        Panel("Queue over compute", "Above 1 requests wait longer than they are worked on.",
              {"{{model}}": f"model:trireel_queue_compute:ratio5m{{{RULE}}}"}, unit="none",
              thresholds=((1, "orange"), (5, "red"))),
        Panel("First response", "Triton 26.01 and newer, with histogram_latencies=true: time to a"
              " request's first response.",
              quantiles(FIRST, "model", MODEL), unit="ms"),
    )),
    Row("Models", (
        Panel("Executed batch", "Mean rows in an execution: frames, for siglip_vision. Higher is"
              " more work for each launch.",
              {"{{model}}": f"model:trireel_executed_batch:mean5m{{{RULE}}}"}, unit="none"),
        Panel("Executions", "How often each model is run.",
              {"{{model}}": rate("nv_inference_exec_count", "model", MODEL)}, unit="ops"),
        Panel("Pending requests", "Arrived and not yet begun: in Triton's queue, and whole videos"
              " in their model.",
              {"{{model}}": f"sum by (model) (nv_inference_pending_request_count{{{MODEL}}})",
               "{{model}}, whole videos": f"sum by (model) (trireel_waiting_videos{{{MODEL}}})"}),
    )),
    Row("Refusals and failures", (
        Panel("Refusals", "Requests answered with an error, by model and status. A video refused"
              " while its frames are extracted counts in both models.",
              {"{{model}} {{status}}": rate("trireel_refusals_total", "model, status", MODEL)},
              unit="reqps", stacked=True),
        Panel("Failures in Triton", "By Triton's own reason; BACKEND holds the refusals.",
              {"{{model}} {{reason}}": rate(FAILURE, "model, reason", MODEL)}, unit="reqps",
              stacked=True),
        Panel("Share of requests", "That are answered with an error.",
              {"{{model}}": f"model:trireel_failures:ratio5m{{{RULE}}}"}, unit="percentunit",
              most=1),
        Panel("Decoders lost", "Decoding processes that died at work: crashed by a file, or killed"
              " (out of memory, as a rule).",
              {"{{cause}}": f"sum by (cause) (increase({LOST}{{{OWN}}}[$__rate_interval]))"}),
        Panel("Damaged packets", "That decoders could make nothing of, and passed over.",
              {"packets": f"sum({rate('trireel_damaged_packets_total', 'job')})"}, unit="cps"),
    )),
    Row("Sequences and spool", (
        Panel("Live sequences", "Videos whose state is kept for their next chunk, and how many may"
              " be at once.",
              {"{{instance}} {{model_instance}}": f"trireel_live_sequences{{{OWN}}}",
               "limit {{instance}} {{model_instance}}": f"trireel_live_sequences_limit{{{OWN}}}"}),
        Panel("Expired sequences", "Dropped because no request came for too long.",
              {"{{instance}}": rate("trireel_sequences_expired_total", "instance")}, unit="cps"),
        Panel("Spool", "Fetched and uploaded videos, and the size from which on those not in use"
              " are dropped.",
              {"held {{instance}}": f"max by (instance) (trireel_spool_bytes{{{OWN}}})",
               "limit {{instance}}": f"max by (instance) (trireel_spool_limit_bytes{{{OWN}}})",
               "disk free {{instance}}":
               f"min by (instance) (trireel_spool_disk_free_bytes{{{OWN}}})"}, unit="bytes"),
    )),
    Row("GPU", (
        Panel("Utilisation", "Share of time in which the GPU did something.",
              {"{{instance}} {{gpu_uuid}}": f"nv_gpu_utilization{{{OWN}}}"}, unit="percentunit",
              most=1),
        Panel("Memory", "In use by all processes, and what there is.",
              {"used {{instance}} {{gpu_uuid}}": f"nv_gpu_memory_used_bytes{{{OWN}}}",
               "total {{instance}} {{gpu_uuid}}": f"nv_gpu_memory_total_bytes{{{OWN}}}"},
              unit="bytes"),
        Panel("Power", "Drawn now, and the limit.",
              {"drawn {{instance}} {{gpu_uuid}}": f"nv_gpu_power_usage{{{OWN}}}",
               "limit {{instance}} {{gpu_uuid}}": f"nv_gpu_power_limit{{{OWN}}}"}, unit="watt"),
    )),
    Row("Machine", (
        Panel("CPU", "Of the machine the server runs on.",
              {"{{instance}}": f"nv_cpu_utilization{{{OWN}}}"}, unit="percentunit", most=1),
        Panel("Memory", "Of the machine the server runs on, page cache not counted.",
              {"used {{instance}}": f"nv_cpu_memory_used_bytes{{{OWN}}}",
               "total {{instance}}": f"nv_cpu_memory_total_bytes{{{OWN}}}"}, unit="bytes"),
    )),
)  # fmt: skip


def variable(name: str, label: str, query: str) -> dict[str, Any]:
    """Return a variable with all values of a label."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": query, "refId": name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def variables() -> list[dict[str, Any]]:
    """Return what a reader of the dashboard can choose."""
    return [
        {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"},
        variable("job", "Job", "label_values(trireel_open_videos, job)"),
        variable("instance", "Server", f"label_values(trireel_open_videos{{{JOB}}}, instance)"),
        variable("model", "Model", f"label_values(nv_inference_count{{{OWN}}}, model)"),
    ]


def drawn(panel: Panel, number: int, position: dict[str, int]) -> dict[str, Any]:
    """Return a panel as Grafana reads it."""
    steps = [{"value": None, "color": "green"}]
    steps += [{"value": value, "color": color} for value, color in panel.thresholds]
    defaults: dict[str, Any] = {
        "unit": panel.unit,
        "min": 0,
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.most is not None:
        defaults["max"] = panel.most
    options: dict[str, Any] = {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value"}
    if panel.kind == "timeseries":
        defaults["custom"] = {
            "fillOpacity": 20 if panel.stacked else 5,
            "showPoints": "never",
            "stacking": {"mode": "normal" if panel.stacked else "none"},
            "thresholdsStyle": {"mode": "dashed" if panel.thresholds else "off"},
        }
        options = {
            "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull"]},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    targets = [
        {"refId": chr(ord("A") + i), "expr": query, "legendFormat": legend, "range": True}
        for i, (legend, query) in enumerate(panel.queries.items())
    ]
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": DATASOURCE,
        "gridPos": position,
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
        "targets": targets,
    }


def laid_out(rows: tuple[Row, ...]) -> list[dict[str, Any]]:
    """Return rows and panels, one below the other."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        heading = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        place = {"gridPos": {"x": 0, "y": y, "w": COLUMNS, "h": 1}}
        panels.append({"id": len(panels) + 1, **heading, **place})
        x, y = 0, y + 1
        for panel in row.panels:
            if x + panel.width > COLUMNS:
                x, y = 0, y + panel.height
            position = {"x": x, "y": y, "w": panel.width, "h": panel.height}
            panels.append(drawn(panel, len(panels) + 1, position))
            x += panel.width
        y += row.panels[-1].height
    return panels


def dashboard() -> dict[str, Any]:
    """Return the whole dashboard."""
    return {
        "uid": "trireel",
        "title": "Trireel",
        "description": "Video analysis on Triton. What each metric means: docs/metrics.md.",
        "schemaVersion": SCHEMA_VERSION,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": variables()},
        "annotations": {"list": []},
        "panels": laid_out(ROWS),
    }


def main() -> None:
    """Write the file."""
    OUTPUT.write_text(json.dumps(dashboard(), indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
