# SPDX-License-Identifier: Apache-2.0
"""The Envoy that is deployed, before scripted servers: where requests go, what it says."""

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from support.balancing import CLUSTERS, ENVOY, ENVOY_CONFIG, balancer, envoy_config, wait_until
from unit.client.scripted import UNAVAILABLE, stream_of
from unit.deploy.scripted_servers import VIDEO, num_chunks, running

from trireel_client import InvalidRequest, Retry, ServerUnavailable, TrireelClient
from trireel_client._config import DEFAULT_REQUEST_SECONDS

ONCE = Retry(attempts=1)


def home(servers, url: str, protocol: str, sequence_id: str) -> int:
    """Return which server a sequence is on; all of it, or this fails."""
    before = [server.asked("video_chunk") for server in servers]
    with TrireelClient(url, protocol=protocol) as client:
        assert len(list(client.step(VIDEO, sequence_id=sequence_id))) == 3
    share = [server.asked("video_chunk") - was for server, was in zip(servers, before, strict=True)]
    assert sorted(share) == [*[0] * (len(servers) - 1), 3]
    return share.index(3)


def test_it_is_valid_and_of_its_time():
    done = subprocess.run(
        [ENVOY, "--mode", "validate", "-c", ENVOY_CONFIG], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    said = done.stdout + done.stderr
    assert not re.search(r"\[(warning|error|critical)\]|[Dd]eprecated", said), said


def test_the_admin_interface_is_for_this_machine_alone():
    config = envoy_config()
    assert config["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_silence_of_a_long_video_is_not_cut():
    ingress = envoy_config()["static_resources"]["listeners"][0]
    manager = ingress["filter_chains"][0]["filters"][0]["typed_config"]
    assert float(manager["stream_idle_timeout"].removesuffix("s")) > 2 * DEFAULT_REQUEST_SECONDS
    assert "request_timeout" not in manager
    form, *routes = manager["route_config"]["virtual_hosts"][0]["routes"]
    assert "direct_response" in form
    for route in routes:
        assert route["route"]["timeout"] == "0s"


def test_forms_do_not_reach_a_server(tmp_path):
    with running(1, tmp_path) as (envoy, servers):
        url = f"http://{envoy.url}/v2/models/video_analysis/infer"
        for kind in ("application/x-www-form-urlencoded", "Application/X-WWW-Form-Urlencoded; a=b"):
            answer = httpx.post(url, content=b"a" * 5_000_000, headers={"Content-Type": kind})
            assert answer.status_code == 415
            assert "send application/json" in answer.json()["error"]
        assert servers[0].script.asked == []


def test_servers_are_not_pinged_by_http2():
    # Triton ends the connection at the third ping without data, and a long video with it.
    for cluster in envoy_config()["static_resources"]["clusters"]:
        assert "connection_keepalive" not in str(cluster)


def test_sequences_are_at_home_where_every_envoy_agrees(tmp_path, protocol):
    ids = [f"camera {number}" for number in range(16)]
    with running(3, tmp_path) as (one, servers):
        homes = [home(servers, one.url, protocol, each) for each in ids]
        assert len(set(homes)) == 3
        other_folder = tmp_path / "other"
        other_folder.mkdir()
        with balancer([server.ports for server in servers], other_folder) as other:
            assert [home(servers, other.url, protocol, each) for each in ids] == homes
        # One that is not ready takes its own sequences along, and no others.
        servers[0].script.ready = False
        wait_until(lambda: all(one.healthy(cluster) == 2 for cluster in CLUSTERS))
        moved = [home(servers, one.url, protocol, each) for each in ids]
        assert all(now == was for now, was in zip(moved, homes, strict=True) if was != 0)
        assert 0 not in moved


def test_other_requests_go_where_least_is_under_way(tmp_path, protocol):
    with running(2, tmp_path) as (envoy, (busy, idle)), ThreadPoolExecutor(1) as thread:
        busy.hold()
        asked = []
        while not busy.asked("video_analysis"):  # drawn by lot where none has anything to do
            answered = idle.asked("video_analysis")
            asked.append(thread.submit(num_chunks, envoy, protocol))
            wait_until(lambda before=answered: busy.asked("video_analysis")
                       or idle.asked("video_analysis") > before)  # fmt: skip
        answered = idle.asked("video_analysis")
        assert [num_chunks(envoy, protocol) for _ in range(12)] == [3] * 12
        assert busy.asked("video_analysis") == 1
        assert idle.asked("video_analysis") == answered + 12
        busy.script.go_on.set()
        assert all(each.result() == 3 for each in asked)


def test_no_server_at_all_is_said_at_once_and_with_a_hint(tmp_path, protocol):
    with running(0, tmp_path) as (envoy, _):
        with (
            TrireelClient(envoy.url, protocol=protocol, retries=ONCE) as client,
            pytest.raises(ServerUnavailable, match="no healthy upstream") as raised,
        ):
            client.analyze(VIDEO)
        assert raised.value.retry_after_seconds == 1.0
        answer = httpx.get(f"http://{envoy.url}/v2/health/ready")
        assert (answer.status_code, answer.json()) == (503, {"error": "no healthy upstream"})
        assert httpx.get(f"http://{envoy.url}/metrics").status_code == 404


def test_a_server_that_is_stopping_is_left_and_nobody_is_refused(tmp_path, protocol):
    with running(2, tmp_path) as (envoy, servers):
        servers[0].script.refusals = [UNAVAILABLE] * 1000
        with TrireelClient(envoy.url, protocol=protocol) as client:
            assert all(client.analyze(VIDEO).num_chunks == 3 for _ in range(20))
        ejections = f"cluster.{protocol}.outlier_detection.ejections"
        assert envoy.stat(f"{ejections}_enforced_consecutive_gateway_failure") >= 1
        assert 3 <= servers[0].asked("video_analysis") < 12


def test_half_of_the_servers_are_left_whatever_they_say(tmp_path, protocol):
    with running(2, tmp_path) as (envoy, servers):
        for server in servers:
            server.script.refusals = [UNAVAILABLE] * 1000
        often = Retry(20, first_wait_seconds=0.001, longest_wait_seconds=0.01)
        with (
            TrireelClient(envoy.url, protocol=protocol, retries=often) as client,
            pytest.raises(ServerUnavailable, match="queue is full"),
        ):
            client.analyze(VIDEO)
        assert sum(server.asked("video_analysis") for server in servers) == 20
        assert envoy.stat(f"cluster.{protocol}.outlier_detection.ejections_active") == 1


def test_a_refusal_now_and_then_is_the_videos_own(tmp_path, protocol):
    with running(1, tmp_path) as (envoy, (server,)):
        with TrireelClient(envoy.url, protocol=protocol, retries=ONCE) as client:
            for _ in range(4):
                server.script.refusals = [UNAVAILABLE] * 2
                for _ in range(2):
                    with pytest.raises(ServerUnavailable, match="queue is full"):
                        client.analyze(VIDEO)
                assert client.analyze(VIDEO).num_chunks == 3
        assert envoy.stat(f"cluster.{protocol}.outlier_detection.ejections_enforced_total") == 0


def small_requests(config) -> None:
    ingress = config["static_resources"]["listeners"][0]
    manager = ingress["filter_chains"][0]["filters"][0]["typed_config"]
    (buffer,) = [f for f in manager["http_filters"] if f["name"].endswith("buffer")]
    assert buffer["typed_config"]["max_request_bytes"] == 256 * 2**20
    buffer["typed_config"]["max_request_bytes"] = 10_000


def test_a_request_too_large_reaches_no_server(tmp_path, protocol):
    with (
        running(1, tmp_path, small_requests) as (envoy, (server,)),
        TrireelClient(envoy.url, protocol=protocol) as client,
    ):
        assert client.analyze(bytes(5_000)).num_chunks == 3
        with pytest.raises(InvalidRequest, match="Payload Too Large"):
            client.analyze(bytes(50_000))
        assert server.asked("video_analysis") == 1


def test_streams_are_not_held_back(tmp_path):
    with running(1, tmp_path, small_requests) as (envoy, (server,)):

        def waits_after_its_first_answer(asked):
            answers = stream_of()
            yield next(answers)
            server.script.go_on.wait(20.0)
            yield from answers

        server.script.answers["video_analysis_stream"] = waits_after_its_first_answer
        with TrireelClient(envoy.url) as client:
            answers = client.stream(VIDEO)
            assert next(answers).index == 0
            server.script.go_on.set()
            assert len(list(answers)) == 3
