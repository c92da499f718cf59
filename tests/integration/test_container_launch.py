# SPDX-License-Identifier: Apache-2.0
"""The container's commands, with the wheel's Triton in a folder laid out like the image's.

What NVIDIA's image has beside it, its backends and newer releases, is not here.
"""

import json
import re
import shutil
import socket
import subprocess
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import numpy as np
import pytest
from support.container import (
    GONE_SECONDS,
    READY_SECONDS,
    SERVE,
    environment,
    launched,
    lay_out_triton,
    left_over,
)
from support.serving import in_thread
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from trireel_backend.launch.ports import Ports
from trireel_client import ServerPath, TrireelClient

from .conftest import EXPORT, MODELS


@pytest.fixture(scope="module")
def opt(tmp_path_factory):
    return lay_out_triton(tmp_path_factory.mktemp("tritonserver"))


class Collector(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append((self.path, json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format, *args):
        pass


@pytest.fixture(scope="module")
def collector():
    """An OpenTelemetry collector that keeps what it gets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    server.bodies = []
    with in_thread(server):
        yield server


@pytest.fixture(scope="module")
def container(opt, collector, tmp_path_factory):
    url = f"http://127.0.0.1:{collector.server_port}/v1/traces"
    with launched(
        opt,
        tmp_path_factory.mktemp("container"),
        TRIREEL_TRACE_URL=url,
        TRIREEL_TRACE_RATE="1",
        TRIREEL_EXTRACTORS="1",
        TRIREEL_PARAMETER="chunk_seconds=20 s3_buckets=videos",
    ) as server:
        yield server


def test_it_answers_with_what_the_environment_sets(container, truth):
    with TrireelClient(container.grpc_url) as client:
        answer = client.analyze(ServerPath("sample.mp4"))
    assert len(answer.chunks) == 3  # of 20 s
    assert len(answer.scene_changes) == len(truth) - 1
    config = httpx.get(f"{container.http_url}/v2/models/frame_extractor/config").json()
    assert config["instance_group"][0]["count"] == 1
    assert config["parameters"]["s3_buckets"]["string_value"] == "videos"
    assert config["parameters"]["spool"]["string_value"].endswith("/spool")


def test_the_ready_line_and_tritons_log_are_in_one_stream(container):
    ports = container.ports
    line = (
        rf"Trireel is ready: HTTP 127\.0\.0\.1:{ports.http}, gRPC 127\.0\.0\.1:{ports.grpc},"
        rf" metrics 127\.0\.0\.1:{ports.metrics}"
        r" \(Triton 2\.51\.0, \d+ models, profile embedded, checkpoint "
    )
    assert re.search(line, container.log())
    assert "Started GRPCInferenceService" in container.log()


def test_admin_apis_are_closed(container):
    assert httpx.get(f"{container.http_url}/v2/systemsharedmemory/status").status_code == 403
    assert httpx.post(f"{container.http_url}/v2/repository/index").status_code == 403
    with (
        InferenceServerClient(container.grpc_url) as raw,
        pytest.raises(InferenceServerException, match="restricted"),
    ):
        raw.get_system_shared_memory_status()


def test_spans_reach_the_collector(container, collector):
    with TrireelClient(container.grpc_url) as client:
        client.analyze(ServerPath("sample.mp4"))
    deadline = time.monotonic() + 20
    names = set()
    while "video_analysis" not in names:
        assert time.monotonic() < deadline, names
        time.sleep(0.2)
        names = {
            span["name"]
            for path, body in collector.bodies
            if path == "/v1/traces"
            for resource in body["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        }
    (attributes,) = (
        resource["resource"]["attributes"] for resource in collector.bodies[0][1]["resourceSpans"]
    )
    assert {"key": "service.name", "value": {"stringValue": "trireel"}} in attributes


def test_health_is_one_line_and_quick(container):
    began = time.monotonic()
    done = container.health()
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"well: {container.grpc_url} embeds as the checkpoint does")
    assert len(done.stdout.splitlines()) == 1
    assert time.monotonic() - began < 10


@pytest.fixture
def other_export(tmp_path):
    """The export as it would be if the server ran other weights."""
    export = tmp_path / "export"
    shutil.copytree(EXPORT, export)
    with np.load(EXPORT / "canary.npz") as canary:
        np.savez(
            export / "canary.npz",
            frames=canary["frames"],
            embeddings=canary["embeddings"][::-1],
        )
    return export


@pytest.mark.parametrize("url", ["container", "server"])
def test_health_fails_where_answers_are_wrong(request, container, other_export, url):
    url = request.getfixturevalue(url).grpc_url
    assert container.health("--url", url).returncode == 0
    done = container.health("--url", url, "--export", other_export)
    assert done.returncode == 1
    assert done.stdout.startswith(f"unwell: {url}: siglip_vision's embedding of a known picture")
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--url", "127.0.0.1:9"), "siglip_vision does not answer"),
        (("--export", "/nonexistent"), "canary.npz is not there"),
        (("--grpc-certificate", "/nonexistent"), "/nonexistent is not there"),
        (("--timeout-seconds", "0.0001"), "siglip_vision does not answer: Deadline Exceeded"),
    ],
)
def test_health_says_what_is_wrong(container, options, sentence):
    done = container.health(*options)
    assert done.returncode == 1
    assert sentence in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert done.stderr == ""


def test_health_ends_in_time_where_nobody_answers(container):
    """A port that takes the connection and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        done = container.health("--url", url, "--timeout-seconds", "1")
    assert done.returncode == 1
    assert done.stdout.startswith(f"unwell: {url}: siglip_vision does not answer")
    assert time.monotonic() - began < 10


def test_a_stop_is_clean_and_without_videos_quick(opt, tmp_path):
    with launched(opt, tmp_path) as server:
        run, members = server.run_folder(), server.members()
        assert server.stop() == 0
    assert "Trireel is stopping" not in server.log()
    assert not any(member.is_running() for member in members)
    assert left_over(run) == []


def test_a_triton_that_dies_ends_the_container_with_a_sentence(opt, tmp_path):
    with launched(opt, tmp_path, TRIREEL_RESTARTS="0") as server:
        run = server.run_folder()
        server.triton().kill()
        assert server.process.wait(GONE_SECONDS) == 1
    assert server.log().endswith(
        "trireel-serve-container: Triton ended by SIGKILL without a request to stop, after 0"
        " restarts; its log, above, says more\n"
    )
    assert left_over(run) == []


def refused(opt, tmp_path, **settings):
    """Return what a start that fails says."""
    variables = environment(opt, Ports.free(), tmp_path, **settings)
    done = subprocess.run(
        [SERVE], env=variables, capture_output=True, text=True, timeout=READY_SECONDS
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"TRIREEL_TRITON": "/nonexistent"}, "run this in NVIDIA's tritonserver image"),
        ({"TRIREEL_PROFILE": "gpu"}, "no model has configs/gpu.pbtxt"),
        ({"TRIREEL_PROFILE": "tensorrt"}, "nvidia-smi is not there"),
        ({"TRIREEL_EXPORT": "/nonexistent"}, "give the output folder of trireel-export"),
        ({"TRIREEL_SPOOL": "/nonexistent"}, "/nonexistent is not a folder"),
        ({"TRIREEL_PARAMETER": "s3_bucket=x"}, "got --parameter 's3_bucket=x': give NAME=VALUE"),
        ({"TRIREEL_ALLOW_NETWORK": "loopback"}, "give CIDR"),
        ({"TRIREEL_GRPC_KEY": "/nonexistent"}, "both --grpc-certificate and --grpc-key"),
        ({"TRIREEL_HTTP_MAX_INPUT_MIB": "64"}, "needs Triton 25.06 or newer"),
    ],
)
def test_a_mistaken_setting_is_one_sentence(opt, tmp_path, settings, sentence):
    assert sentence in refused(opt, tmp_path, **settings)
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_model_that_cannot_load_refers_to_the_log_above(opt, tmp_path):
    shutil.copytree(MODELS, tmp_path / "models")
    (tmp_path / "models/siglip_text/1/model.py").write_text("raise RuntimeError('no luck')")
    models = str(tmp_path / "models")
    variables = environment(opt, Ports.free(), tmp_path, TRIREEL_MODELS=models)
    done = subprocess.run(
        [SERVE], env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == (
        "trireel-serve-container: Triton ended; its log, above, says why"
    )
    assert "no luck" in done.stdout
