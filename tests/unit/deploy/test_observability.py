# SPDX-License-Identifier: Apache-2.0
"""What is deployed to watch the servers: Prometheus, Grafana, the OpenTelemetry collector."""

import importlib.util
import itertools
import json
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from support.families import all_families

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "deploy/prometheus"
GRAFANA = ROOT / "deploy/grafana"
DASHBOARD = json.loads((GRAFANA / "dashboards/trireel.json").read_text())
DOCS = (ROOT / "docs/metrics.md").read_text()
FAMILIES = {family.name for family in all_families()}
METRIC = re.compile(r"\b(?:trireel|nv)_[a-z0-9_]+\b")


def promtool(*arguments):
    done = subprocess.run(
        ["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rules(name):
    groups = yaml.safe_load((PROMETHEUS / name).read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS = rules("alerts.yml")
ALERT_TESTS = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text())["tests"]


def test_prometheus_takes_its_configuration_and_rules():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", "rules.yml", "alerts.yml")


def test_prometheus_finds_its_files_in_its_container():
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["prometheus"]
    mounts = dict(volume.split(":")[:2] for volume in compose["volumes"])
    named = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["rule_files"]
    whole_folder = mounts.get("./deploy/prometheus") == "/etc/prometheus"
    for name in ("prometheus.yml", *named):
        assert (PROMETHEUS / name).is_file()
        one_file = mounts.get(f"./deploy/prometheus/{name}") == f"/etc/prometheus/{name}"
        assert whole_folder or one_file, f"{name} is not mounted"


def test_alerts_fire_when_they_should_and_only_then():
    promtool("test", "rules", "alerts_test.yml")


def test_rules_say_what_happened():
    promtool("test", "rules", "rules_test.yml")


@pytest.mark.parametrize("alert", [alert["alert"] for alert in ALERTS])
def test_every_alert_is_seen_firing_and_quiet(alert):
    cases = [case for test in ALERT_TESTS for case in test["alert_rule_test"]]
    expected = [bool(case["exp_alerts"]) for case in cases if case["alertname"] == alert]
    assert {True, False} <= set(expected)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_says_what_to_do(alert):
    assert alert["labels"]["severity"] in ("critical", "warning", "info")
    assert set(alert["annotations"]) == {"summary", "description", "action"}
    assert f"`{alert['alert']}`" in DOCS


def test_recorded_names_say_level_metric_and_time():
    for rule in rules("rules.yml"):
        assert re.fullmatch(r"(job|model):trireel_[a-z_]+:(rate|ratio|mean|p99_)5m", rule["record"])


def own_metrics(text):
    """Return the metrics of ours that a text names, as families."""
    names = (name for name in METRIC.findall(text) if name.startswith("trireel_"))
    return {re.sub(r"_(bucket|count|sum)$", "", name) for name in names}


def expressions():
    for panel in DASHBOARD["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]
    for rule in [*ALERTS, *rules("rules.yml")]:
        yield rule["expr"]


def test_what_is_asked_for_is_exported():
    recorded = {rule["record"].split(":")[1] for rule in rules("rules.yml")}
    for expression in expressions():
        assert own_metrics(expression) <= FAMILIES | recorded, expression


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_metric_is_documented_and_shown(name):
    assert f"| `{name}" in DOCS
    assert any(name in own_metrics(expression) for expression in expressions())


def test_what_is_documented_is_exported():
    assert set(re.findall(r"^\| `(trireel_[a-z_]+)", DOCS, re.M)) == FAMILIES
    alerts = set(re.findall(r"^\| `(Trireel\w+)`", DOCS, re.M))
    assert alerts == {alert["alert"] for alert in ALERTS}


def test_the_dashboard_is_what_its_script_makes():
    spec = importlib.util.spec_from_file_location("make_dashboard", GRAFANA / "make_dashboard.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert script.dashboard() == DASHBOARD


def test_panels_say_what_they_show_and_do_not_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = set(
            itertools.product(
                range(place["x"], place["x"] + place["w"]),
                range(place["y"], place["y"] + place["h"]),
            )
        )
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= 24
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
            assert panel["targets"]
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_the_dashboard_uses_its_own_variables():
    known = {variable["name"] for variable in DASHBOARD["templating"]["list"]}
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__all", "__rate_interval"} == known


def test_grafana_finds_datasource_and_dashboards():
    provisioning = GRAFANA / "provisioning"
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    assert (source["type"], source["uid"]) == ("prometheus", "trireel-prometheus")
    interval = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == interval["scrape_interval"]
    (provider,) = yaml.safe_load((provisioning / "dashboards/trireel.yaml").read_text())[
        "providers"
    ]
    assert provider["type"] == "file"
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in compose["volumes"])
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"


COLLECTOR = yaml.safe_load((ROOT / "deploy/otel/collector.yaml").read_text())


def expanded(value):
    """Return a value of the collector's configuration without variables set."""
    match = re.fullmatch(r"\$\{env:\w+:-(.*)\}", value) if isinstance(value, str) else None
    return yaml.safe_load(match[1]) if match else value


def test_every_pipeline_of_the_collector_names_parts_that_are_there():
    for pipeline in COLLECTOR["service"]["pipelines"].values():
        for kind in ("receivers", "processors", "exporters"):
            assert set(expanded(pipeline[kind])) <= set(COLLECTOR[kind])
        assert expanded(pipeline["processors"])[0] == "memory_limiter"
    assert set(COLLECTOR["service"]["extensions"]) <= set(COLLECTOR["extensions"])


def test_the_collector_sends_nothing_to_itself():
    protocols = COLLECTOR["receivers"]["otlp"]["protocols"]
    assert [protocols[kind]["endpoint"] for kind in ("grpc", "http")] == [
        "0.0.0.0:4317",
        "0.0.0.0:4318",
    ]
    assert expanded(COLLECTOR["exporters"]["otlp_grpc"]["endpoint"]).endswith(".invalid:4317")
    assert expanded(COLLECTOR["service"]["pipelines"]["traces"]["exporters"]) == ["debug"]


def test_prometheus_asks_the_collector_where_it_answers():
    (reader,) = COLLECTOR["service"]["telemetry"]["metrics"]["readers"]
    port = reader["pull"]["exporter"]["prometheus"]["port"]
    jobs = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]
    (collector,) = [job for job in jobs if job["job_name"] == "otel-collector"]
    assert collector["dns_sd_configs"][0]["port"] == port
