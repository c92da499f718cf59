# SPDX-License-Identifier: Apache-2.0
"""Real servers behind a real Envoy, on loopback; servers that can be killed and started again."""

import copy
import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import yaml

from trireel_backend.launch.ports import Ports

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
ENVOY = BIN / "envoy"
ENVOY_CONFIG = ROOT / "deploy/envoy/envoy.yaml"
SERVERS_NAME = "trireel-servers"
READY_SECONDS = 60.0
WAIT_SECONDS = 30.0
POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> None:
    """Wait for a condition; fails when it does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(POLL_SECONDS)


@dataclass
class ServerProcess:
    """A `trireel-serve` with ports of its own, over its lives."""

    media: Path
    log_folder: Path
    stop_seconds: int
    ports: Ports = field(default_factory=lambda: Ports.free())
    process: "subprocess.Popen[str] | None" = None
    lives: int = 0

    def start(self) -> None:
        """Start it; `wait_ready` waits for it."""
        self.lives += 1
        ports = self.ports
        options = {
            "media": self.media,
            "http-port": ports.http,
            "grpc-port": ports.grpc,
            "metrics-port": ports.metrics,
            "stop-seconds": self.stop_seconds,
            "restarts": 0,  # the tests tell when one starts again
            "log": self.log_folder / f"triton-{ports.grpc}-{self.lives}.log",
        }
        command = [BIN / "trireel-serve", *(f"--{name}={value}" for name, value in options.items())]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, text=True
        )

    def wait_ready(self) -> None:
        """Wait until it says so, which is when its models answer right."""
        assert self.process is not None
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Trireel is ready"):
                return
        raise AssertionError(f"the server ended with {self.process.wait()}")

    def kill(self) -> None:
        """Kill all of it at once, as when its machine is lost."""
        for member in self._family():
            member.kill()
        self._reap()

    def stop(self) -> int:
        """Stop it as an operator does; returns its exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self._reap()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Let it hang: it has its connections and takes new ones, and does nothing."""
        family = self._family()
        for member in family:
            member.suspend()
        try:
            yield
        finally:
            for member in reversed(family):  # the launcher last: it looks after the others
                member.resume()

    def requests(self, model: str) -> int:
        """Return how many requests a model has answered well, by the server's own count."""
        text = httpx.get(f"http://127.0.0.1:{self.ports.metrics}/metrics").raise_for_status().text
        pattern = rf'^nv_inference_request_success{{model="{model}",version="1"}} (\d+)'
        found = re.search(pattern, text, re.MULTILINE)
        return int(found[1]) if found else 0

    def _family(self) -> list[psutil.Process]:
        assert self.process is not None
        launcher = psutil.Process(self.process.pid)
        return [launcher, *launcher.children(recursive=True)]

    def _reap(self) -> int:
        assert self.process is not None
        self.process.communicate(timeout=READY_SECONDS)
        return self.process.returncode


@dataclass
class Balancer:
    """A running Envoy before some servers."""

    port: int
    admin_port: int
    metrics_port: int
    process: "subprocess.Popen[bytes]"

    @property
    def url(self) -> str:
        """Where gRPC and HTTP are asked for."""
        return f"127.0.0.1:{self.port}"

    def admin(self, method: str, path: str) -> httpx.Response:
        """Ask its admin interface."""
        url = f"http://127.0.0.1:{self.admin_port}{path}"
        return httpx.request(method, url).raise_for_status()

    def stat(self, name: str) -> int:
        """Return a counter or a gauge."""
        stats = self.admin("GET", f"/stats?format=json&filter=^{re.escape(name)}$").json()["stats"]
        return sum(int(stat["value"]) for stat in stats)

    def healthy(self, cluster: str) -> int:
        """Return how many servers of a cluster would get requests."""
        return self.stat(f"cluster.{cluster}.membership_healthy")


CLUSTERS = ("grpc", "grpc_sequences", "http", "http_sequences")


def with_fixed_servers(config: dict[str, Any], servers: Sequence[Ports]) -> dict[str, Any]:
    """Return the configuration with servers on loopback in place of what DNS would say."""
    config = copy.deepcopy(config)
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] not in CLUSTERS:
            continue
        del cluster["cluster_type"]
        cluster["type"] = "STATIC"
        ((locality,),) = ([*cluster["load_assignment"]["endpoints"]],)
        (named,) = locality["lb_endpoints"]
        address = named["endpoint"]["address"]["socket_address"]
        assert address["address"] == SERVERS_NAME
        is_grpc = {8001: True, 8000: False}[address["port_value"]]
        locality["lb_endpoints"] = [
            {
                "endpoint": {
                    "address": _loopback(ports.grpc if is_grpc else ports.http),
                    "health_check_config": {"port_value": ports.http},
                }
            }
            for ports in servers
        ]
    return config


def on_loopback(config: dict[str, Any], ports: dict[str, int]) -> dict[str, Any]:
    """Return the configuration with listeners, by their names, and `admin` on other ports."""
    config = copy.deepcopy(config)
    config["admin"]["address"] = _loopback(ports["admin"])
    for listener in config["static_resources"]["listeners"]:
        listener["address"] = _loopback(ports[listener["name"]])
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] == "admin":
            (locality,) = cluster["load_assignment"]["endpoints"]
            locality["lb_endpoints"] = [{"endpoint": {"address": _loopback(ports["admin"])}}]
    return config


def _loopback(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def envoy_config() -> dict[str, Any]:
    """Return the configuration that is deployed."""
    shared = yaml.safe_load(ENVOY_CONFIG.read_text())
    return json.loads(json.dumps(shared))  # what has one anchor is one object no more


@contextmanager
def balancer(servers: Sequence[Ports], folder: Path, change=lambda config: None):
    """Run Envoy as it is deployed, but for its addresses; yields a Balancer.

    Args:
        change: changes the configuration in place.
    """
    free = Ports.free()
    ports = {"ingress": free.http, "metrics": free.metrics, "admin": free.grpc}
    config = on_loopback(with_fixed_servers(envoy_config(), servers), ports)
    change(config)
    path = folder / "envoy.json"
    path.write_text(json.dumps(config))
    command = [ENVOY, "-c", path, "--disable-hot-restart", "--concurrency", "2", "-l", "warn"]
    with (folder / "envoy.log").open("wb") as log, (folder / "access.log").open("wb") as access:
        process = subprocess.Popen([str(part) for part in command], stdout=access, stderr=log)
    try:
        running = Balancer(ports["ingress"], ports["admin"], ports["metrics"], process)
        wait_until(lambda: _is_ready(running))
        wait_until(lambda: all(running.healthy(name) == len(servers) for name in CLUSTERS))
        yield running
    finally:
        process.terminate()
        process.wait(READY_SECONDS)


def _is_ready(running: Balancer) -> bool:
    assert running.process.poll() is None, "Envoy ended: its log says why"
    try:
        return running.admin("GET", "/ready").text.strip() == "LIVE"
    except httpx.HTTPError:
        return False
