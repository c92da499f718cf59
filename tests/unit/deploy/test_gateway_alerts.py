# SPDX-License-Identifier: Apache-2.0
"""The alerts of the gateway: they fire when they should, and use metrics that it exports."""

import re
import subprocess
from pathlib import Path

import yaml
from support.gateway import gateway_app

FOLDER = Path(__file__).parents[3] / "deploy/prometheus"
RULES = yaml.safe_load((FOLDER / "gateway_alerts.yml").read_text())["groups"][0]["rules"]
TESTS = yaml.safe_load((FOLDER / "gateway_alerts_test.yml").read_text())["tests"]


def test_alerts_fire_when_they_should_and_only_then():
    done = subprocess.run(
        ["promtool", "test", "rules", "gateway_alerts_test.yml"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {test["name"] for test in TESTS} == {rule["alert"] for rule in RULES}
    for rule in RULES:
        assert set(rule["annotations"]) == {"summary", "description", "action"}


async def test_alerts_use_metrics_that_the_gateway_exports(tmp_path):
    async with gateway_app(tmp_path) as gateway, gateway.client("trk_wrong") as client:
        await client.get("/v1/videos")
        text = gateway.parts.metrics.text().decode()
    names = set(re.findall(r"trireel_gateway_[a-z_]+", "".join(rule["expr"] for rule in RULES)))
    assert len(names) >= 3
    for name in names:
        assert re.search(rf"^{name}(\{{| )", text, re.M), name
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
    assert "gateway_alerts.yml" in config["rule_files"]
    assert "trireel-gateway" in {job["job_name"] for job in config["scrape_configs"]}
