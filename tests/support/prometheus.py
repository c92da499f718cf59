# SPDX-License-Identifier: Apache-2.0
"""The real Prometheus, with the project's configuration, for as long as a test runs."""

import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import httpx
import yaml

CONFIGURATION = Path(__file__).parents[2] / "deploy/prometheus"
NOBODY = "127.0.0.1:1"
START_SECONDS = 30.0


class Prometheus:
    """Answers queries."""

    def __init__(self, url):
        self._client = httpx.Client(base_url=url)

    def is_ready(self):
        try:
            return self._client.get("/-/ready").status_code == 200
        except httpx.TransportError:
            return False

    def query(self, expression):
        """Return an instant query's series: labels and value; fails where it is refused."""
        answer = self._client.get("/api/v1/query", params={"query": expression}).json()
        assert answer["status"] == "success", f"{expression}: {answer['error']}"
        return [(one["metric"], float(one["value"][1])) for one in answer["data"]["result"]]

    def rules(self):
        """Return all rules with their health."""
        groups = self._client.get("/api/v1/rules").json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    def close(self):
        self._client.close()


@contextmanager
def prometheus(folder, targets):
    """Run Prometheus with the project's files, but for addresses and intervals.

    Args:
        targets: addresses by the name of their job; other jobs find nobody.
    """
    for path in CONFIGURATION.glob("*.yml"):
        shutil.copy(path, folder)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    configuration = yaml.safe_load((folder / "prometheus.yml").read_text())
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    for job in configuration["scrape_configs"]:
        for key in [key for key in job if key.endswith("_sd_configs")]:
            del job[key]
        own = address if job["job_name"] == "prometheus" else NOBODY
        job["static_configs"] = [{"targets": [targets.get(job["job_name"], own)]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    command = [
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address={address}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    client = Prometheus(f"http://{address}")
    try:
        deadline = time.monotonic() + START_SECONDS
        while not client.is_ready():
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait()
