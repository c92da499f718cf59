# SPDX-License-Identifier: Apache-2.0
"""Dashboard, rules and alerts, asked of a real Prometheus that scrapes the real server."""

import json
import math
import re
import time
import uuid
from pathlib import Path

import pytest
import yaml
from support.exposition import Scrape
from support.prometheus import prometheus
from support.raw import Raw, number, texts, video

from trireel_client import ServerPath, TrireelClient

ROOT = Path(__file__).parents[2]
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/trireel.json").read_text())
RULES, ALERTS, GATEWAY_ALERTS = (
    [
        rule
        for group in yaml.safe_load((ROOT / "deploy/prometheus" / name).read_text())["groups"]
        for rule in group["rules"]
    ]
    for name in ("rules.yml", "alerts.yml", "gateway_alerts.yml")
)
QUERIES = [
    (f"{panel['title']}: {target['legendFormat']}", target["expr"])
    for panel in DASHBOARD["panels"]
    for target in panel.get("targets", ())
]
NOT_HERE = {
    "nv_gpu_utilization": "a GPU",
    "nv_gpu_memory_used_bytes": "a GPU",
    "nv_gpu_memory_total_bytes": "a GPU",
    "nv_gpu_power_usage": "a GPU",
    "nv_gpu_power_limit": "a GPU",
    "trireel_describe_backends_total": "a server with --describe",
    "trireel_describe_open": "a server with --describe",
    "trireel_describe_tokens_total": "a server with --describe",
    "nv_inference_first_response_histogram_ms": "Triton 26.01, for models that answer once",
}
"""Metrics that this server cannot have, and what they need."""


def expression(query):
    """Return a panel's query as Grafana asks it with all values of its variables."""
    return re.sub(r"\$(job|instance|model)\b", ".*", query.replace("$__rate_interval", "1m"))


def drive(server):
    """Ask for whole videos and chunks, well and badly."""
    raw = Raw(server, "grpc")
    with TrireelClient(server.grpc_url) as client:
        client.analyze(ServerPath("sample.mp4"), tags=["a dog"])
        list(client.stream(ServerPath("clip.mp4")))
    sequence = {"sequence_id": uuid.uuid4().hex}
    chunk = video("clip.mp4", CHUNK_SECONDS=number("FP64", 2.0))
    raw.infer("video_chunk", chunk, **sequence, sequence_start=True)
    raw.infer("video_chunk", chunk, **sequence, sequence_end=True)
    raw.refused(404, "video_analysis", video("missing.mp4"))
    raw.refused(400, "frame_extractor", {"VIDEO_DATA": texts(b"text")})
    raw.close()


@pytest.fixture(scope="module")
def watching(server, tmp_path_factory):
    """Prometheus after some traffic."""
    folder = tmp_path_factory.mktemp("prometheus")
    with prometheus(folder, {"trireel": server.metrics_url}) as watching:
        deadline = time.monotonic() + 30
        while not watching.query('up{job="trireel"} == 1'):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        time.sleep(2)  # a rate takes a scrape before, and one behind
        for _ in range(2):
            drive(server)
        time.sleep(3)  # a rule is computed from others
        yield watching


@pytest.mark.parametrize(("panel", "query"), QUERIES, ids=[name for name, _ in QUERIES])
def test_every_panel_has_data_but_for_what_this_server_cannot_have(watching, panel, query):
    series = watching.query(expression(query))
    if any(name in query for name in NOT_HERE):
        assert series == []
    else:
        assert series, f"{panel} shows nothing"
        values = [value for _, value in series]
        assert any(math.isfinite(value) for value in values), f"{panel} shows {values}"


def test_what_is_said_to_be_missing_is_missing(server):
    series = {name for name, _, _ in Scrape(server.metrics_url).series}
    pattern = r"\b(?:nv|trireel_describe)_[a-z_]+"
    asked = {name for _, query in QUERIES for name in re.findall(pattern, query)}
    assert {re.sub("_bucket$", "", name) for name in asked - series} == set(NOT_HERE)
    docs = (ROOT / "docs/metrics.md").read_text()
    assert all(f"`{name}`" in docs for name in NOT_HERE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["record"])
def test_every_recorded_rule_has_values(watching, rule):
    values = [value for _, value in watching.query(rule["record"])]
    assert values
    assert all(math.isfinite(value) for value in values)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_every_alert_can_be_asked_and_nothing_is_wrong(watching, alert):
    assert watching.query(alert["expr"]) == []


def test_prometheus_computes_all_rules_without_an_error(watching):
    rules = watching.rules()
    assert len(rules) == len(RULES) + len(ALERTS) + len(GATEWAY_ALERTS)
    assert [rule["lastError"] for rule in rules if rule["health"] != "ok"] == []


def test_rates_are_those_of_what_was_asked(watching):
    ((_, seconds),) = watching.query("sum(increase(trireel_video_seconds_total[5m]))")
    assert seconds > 0
    ((_, batch),) = watching.query('model:trireel_executed_batch:mean5m{model="siglip_vision"}')
    assert 1 <= batch <= 128
    refused = watching.query('sum by (status) (trireel_refusals_total{model="video_analysis"}) > 0')
    assert {"status": "NOT_FOUND"} in [labels for labels, _ in refused]
