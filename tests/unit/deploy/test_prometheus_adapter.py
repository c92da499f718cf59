# SPDX-License-Identifier: Apache-2.0
"""The autoscaler's metric, computed by a real Prometheus from Triton's counters."""

import subprocess
import sys
from pathlib import Path

import yaml
from unit.deploy.rendered import KUBERNETES

PROMTOOL = Path(sys.executable).parent / "promtool"


def queue_rule():
    rules = yaml.safe_load((KUBERNETES / "prometheus-adapter.yaml").read_text())["rules"]["custom"]
    (rule,) = [r for r in rules if r["name"]["as"] == "trireel_encoder_queue_seconds"]
    return rule


def query_for(pods: str) -> str:
    """Return the query as the adapter asks it for pods of the namespace."""
    return (
        queue_rule()["metricsQuery"]
        .replace("<<.LabelMatchers>>", f'namespace="trireel",pod=~"{pods}"')
        .replace("<<.GroupBy>>", "pod")
    )


def series(name: str, pod: str, values: str, model: str = "siglip_vision"):
    labels = f'model="{model}",version="1",namespace="trireel",pod="{pod}"'
    return {"series": f"nv_inference_{name}{{{labels}}}", "values": values}


def test_it_is_the_mean_wait_of_each_server_in_seconds(tmp_path):
    group = {
        "interval": "15s",
        "input_series": [
            # Every 15 s 30 requests, which waited 0.4 s each.
            series("queue_duration_us", "busy", "0+12000000x20"),
            series("request_success", "busy", "0+30x20"),
            # Nobody asks.
            series("queue_duration_us", "idle", "7000000x20"),
            series("request_success", "idle", "100x20"),
            # Another model's queue is none of it.
            series("queue_duration_us", "busy", "0+99000000x20", model="video_analysis"),
            series("request_success", "busy", "0+1x20", model="video_analysis"),
        ],
        "promql_expr_test": [
            {
                "expr": query_for("busy|idle|gone"),
                "eval_time": "5m",
                "exp_samples": [
                    {"labels": '{pod="busy"}', "value": 0.4},
                    {"labels": '{pod="idle"}', "value": 0},
                ],
            }
        ],
    }
    rules = tmp_path / "rules.yaml"
    rules.write_text("groups: []\n")
    test = {"rule_files": [str(rules)], "evaluation_interval": "15s", "tests": [group]}
    path = tmp_path / "test.yaml"
    path.write_text(yaml.safe_dump(test))
    done = subprocess.run([PROMTOOL, "test", "rules", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_adapter_knows_whose_it_is():
    rule = queue_rule()
    assert set(rule["resources"]["overrides"]) == {"namespace", "pod"}
    assert all(f'{label}!=""' in rule["seriesQuery"] for label in ("namespace", "pod"))
