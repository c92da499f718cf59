# SPDX-License-Identifier: Apache-2.0
"""Looking after the Envoy that is deployed: its log, its metrics, its end."""

import json
import re
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.balancing import ENVOY_CONFIG, Balancer, wait_until
from unit.client.scripted import whole_video
from unit.deploy.scripted_servers import VIDEO, num_chunks, running

from trireel_client import Retry, TrireelClient

pytestmark = pytest.mark.slow  # waits for Envoy to drain
DRAIN = ENVOY_CONFIG.with_name("drain")
ONCE = Retry(attempts=1)


def test_the_log_is_one_object_a_request(tmp_path):
    with running(1, tmp_path) as (envoy, _), TrireelClient(envoy.url) as client:
        client.analyze(VIDEO)
        list(client.step(VIDEO, sequence_id="cam 1"))
    lines = [json.loads(line) for line in (tmp_path / "access.log").read_text().splitlines()]
    by_model = Counter(line["cluster"] for line in lines)
    assert by_model == {"grpc": 3, "grpc_sequences": 3}  # who are you, a video, its plan; its steps
    for line in lines:
        assert line["status"] == 200
        assert line["grpc_status"] == "OK"
        assert line["server"].startswith("127.0.0.1:")
        assert line["duration_ms"] >= 0
    assert {line["sequence"] for line in lines} == {None, "cam%201"}


def test_metrics_tell_servers_apart_and_change_nothing(tmp_path):
    with running(2, tmp_path) as (envoy, servers), TrireelClient(envoy.url) as client:
        for _ in range(8):
            client.analyze(VIDEO)
        url = f"http://127.0.0.1:{envoy.metrics_port}"
        text = httpx.get(f"{url}/stats/prometheus").text
        for server in servers:
            address = f"127.0.0.1:{server.ports.grpc}"
            assert re.search(
                rf'envoy_cluster_endpoint_rq_total{{[^}}]*"{address}"[^}}]*}} \d+', text
            )
        assert (
            'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="grpc",le="600000"}' in text
        )
        assert httpx.get(f"{url}/ready").text == "LIVE\n"
        for method, path in (("POST", "/quitquitquit"), ("GET", "/config_dump"), ("GET", "/")):
            assert httpx.request(method, f"{url}{path}").status_code == 404


def drained(envoy: Balancer, most_seconds: int) -> "subprocess.Popen[bytes]":
    arguments = [str(most_seconds), "1", str(envoy.admin_port)]
    return subprocess.Popen(["bash", DRAIN, *arguments])


def test_draining_waits_for_what_is_under_way(tmp_path, protocol):
    with running(1, tmp_path) as (envoy, (server,)), ThreadPoolExecutor(1) as thread:
        server.hold()
        asked = thread.submit(num_chunks, envoy, protocol)
        wait_until(lambda: server.asked("video_analysis") == 1)
        draining = drained(envoy, 30)
        ready = f"http://127.0.0.1:{envoy.metrics_port}/ready"
        wait_until(lambda: httpx.get(ready).status_code == 503)
        time.sleep(2.0)  # longer than it takes where it has nothing to wait for
        assert draining.poll() is None
        # Whoever still comes is served, and asked to go.
        late = httpx.get(f"http://{envoy.url}/v2/health/ready")
        assert (late.status_code, late.headers["connection"]) == (200, "close")
        server.script.go_on.set()
        assert asked.result() == 3
        assert draining.wait(10.0) == 0


def test_draining_has_an_end(tmp_path):
    with running(1, tmp_path) as (envoy, (server,)), ThreadPoolExecutor(1) as thread:
        server.hold()
        asked = thread.submit(num_chunks, envoy, "grpc")
        wait_until(lambda: server.asked("video_analysis") == 1)
        began = time.monotonic()
        assert drained(envoy, 2).wait(10.0) == 0
        assert 2.0 <= time.monotonic() - began < 6.0
        server.script.go_on.set()
        assert asked.result() == 3


def test_a_connection_of_some_age_is_renewed_and_its_requests_go_on(tmp_path, protocol):
    def short_lived(config) -> None:
        ingress = config["static_resources"]["listeners"][0]
        manager = ingress["filter_chains"][0]["filters"][0]["typed_config"]
        manager["common_http_protocol_options"]["max_connection_duration"] = "0.3s"
        manager["drain_timeout"] = "0.2s"

    with running(1, tmp_path, short_lived) as (envoy, (server,)):

        def slow(asked):
            time.sleep(1.5)
            return whole_video()

        server.script.answers["video_analysis"] = slow
        with TrireelClient(envoy.url, protocol=protocol, retries=ONCE) as client:
            assert [client.analyze(VIDEO).num_chunks for _ in range(2)] == [3, 3]
        assert envoy.stat("http.ingress.downstream_cx_max_duration_reached") >= 2
