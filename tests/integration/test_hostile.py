# SPDX-License-Identifier: Apache-2.0
"""Hostile requests, one test for each part of the protocol: docs/security.md has the table."""

import gzip
import json
import re
import socket
import struct
import zlib
from pathlib import Path

import httpx
import psutil
import pytest

from trireel_backend.launch.flags import CLOSED_HEADER

from .test_lifecycle import own_folder, serving  # noqa: F401  # a fixture

TEXT = {"inputs": [{"name": "TEXTS", "datatype": "BYTES", "shape": [1, 1], "data": ["a red ball"]}]}
CLIP = {"name": "VIDEO", "datatype": "BYTES", "shape": [1], "data": ["clip.mp4"]}
CLASSES = {"name": "TAG_TEXTS", "parameters": {"classification": 1}}
ENDLESS = {"name": "CROP", "datatype": "INT8", "shape": [1, 2**63 - 1], "data": [1]}
DEADLY = [({"inputs": [CLIP], "outputs": [CLASSES]}, "SIGFPE"), ({"inputs": [ENDLESS]}, "SIGABRT")]
GRPC_METHOD = "/inference.GRPCInferenceService/LogSettings"


def post(server, path, **options):
    return httpx.post(f"http://{server.http_url}/v2/{path}", timeout=30, **options)


def answers(server):
    return post(server, "models/siglip_text/infer", json=TEXT).status_code == 200


def secret(server, flag):
    (value,) = [
        argument.partition("=")[2]
        for argument in psutil.Process(server.process_id).cmdline()
        if argument.startswith(f"--{flag}=")
    ]
    return value.rpartition("=")[2]


def exchange(address, data):
    """Send bytes; return what comes back until the end, or until a gRPC status."""
    host, _, port = address.rpartition(":")
    received = b""
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        connection.sendall(data)
        while b"grpc-status" not in received and (part := connection.recv(65536)):
            received += part
    return received


@pytest.mark.parametrize(
    "path",
    [
        "logging",
        "trace/setting",
        "models/siglip_text/trace/setting",
        "repository/index",
        "repository/models/siglip_text/load",
        "repository/models/siglip_text/unload",
        "systemsharedmemory/region/x/register",
        "systemsharedmemory/unregister",
        "cudasharedmemory/region/x/register",
    ],
)
def test_admin_apis_are_closed(server, path):
    assert post(server, path, json={}).status_code == 403


@pytest.mark.parametrize(
    "line",
    [
        "{name}: {value}",
        "{before}: {after}: {value}",
        " {name}: {value}",
        "X: y\r\n {name}: {value}",
    ],
)
def test_no_http_request_has_the_header_that_opens_them(server, line):
    before, _, after = CLOSED_HEADER.partition(":")
    value = secret(server, "http-restricted-api")
    header = line.format(name=CLOSED_HEADER, before=before, after=after, value=value)
    request = f"GET /v2/logging HTTP/1.1\r\nHost: a\r\n{header}\r\nConnection: close\r\n\r\n"
    assert exchange(server.http_url, request.encode()).startswith(b"HTTP/1.1 403")


def headers_frame(headers):
    """Return an HTTP/2 frame with headers as literals, also those that no library would send."""
    block = b"".join(
        b"\0" + b"".join(bytes([len(part)]) + part.encode() for part in header)
        for header in headers
    )
    return struct.pack(">I", len(block))[1:] + b"\1\4" + struct.pack(">I", 1) + block


@pytest.mark.parametrize("key", [None, CLOSED_HEADER, CLOSED_HEADER.upper()])
def test_no_grpc_call_has_the_header_that_opens_them(server, key):
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", GRPC_METHOD),
        (":authority", "a"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
    ]
    if key is not None:
        value = secret(server, "grpc-restricted-protocol")
        headers.append((f"triton-grpc-protocol-{key}", value))
    settings, empty = b"\0\0\0\4\0\0\0\0\0", b"\0\0\5\0\1\0\0\0\1\0\0\0\0\0"
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + settings
    answer = exchange(server.grpc_url, preface + headers_frame(headers) + empty)
    expected = b"This protocol is restricted" if key is None else b"Missing :method header"
    assert expected in answer  # gRPC drops all headers of a request if one is not legal
    assert b"log_verbose_level" not in answer


def test_memory_and_files_are_closed_to_other_users(server):
    (prefix,) = {
        match[1]
        for argument in psutil.Process(server.process_id).cmdline()
        if (match := re.search("shm-region-prefix-name=(.*)", argument))
    }
    regions = list(Path("/dev/shm").glob(f"{prefix}*"))
    assert len(regions) > 5
    assert {region.stat().st_mode & 0o077 for region in regions} == {0}
    umask = re.search(r"Umask:\s*(\d+)", Path(f"/proc/{server.process_id}/status").read_text())
    assert umask[1] == "0077"


def test_configs_and_statistics_name_no_folder_of_the_machine(server):
    url = f"http://{server.http_url}/v2/models"
    names = [model["name"] for model in httpx.get(f"{url}/stats").json()["model_stats"]]
    texts = [httpx.get(f"{url}/{name}/config").text for name in names]
    texts += [httpx.get(f"{url}/{name}/stats").text for name in names]
    assert "media_root_id" in "".join(texts)
    for text in texts:
        assert str(server.media) not in text
        assert "trireel-serve-" not in text


def test_a_large_form_does_not_end_the_server(server):
    for body in (b"a" * 20_000_000, b"a=b&" * 1_250_000):
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        assert post(server, "health/live", content=body, headers=headers).status_code == 405
    assert answers(server)


@pytest.mark.parametrize(
    ("encoding", "body", "status"),
    [
        ("gzip", gzip.compress(json.dumps(TEXT).encode(), mtime=0), 200),
        ("deflate", zlib.compress(json.dumps(TEXT).encode()), 200),
        ("gzip", gzip.compress(json.dumps(TEXT).encode(), mtime=0)[:-20], 500),
        ("gzip", b"not compressed", 500),
        ("gzip", gzip.compress(bytes(64 * 2**20), mtime=0), 500),
        ("br", b"x", 415),
    ],
)
def test_compressed_bodies_are_read_or_rejected(server, encoding, body, status):
    headers = {"Content-Encoding": encoding}
    answer = post(server, "models/siglip_text/infer", content=body, headers=headers)
    assert (answer.status_code == 200) == (status == 200), answer.text
    assert answers(server)


@pytest.mark.parametrize("length", ["-1", "5", "1000000", str(2**64)])
def test_wrong_lengths_of_binary_bodies_are_rejected(server, length):
    headers = {"Inference-Header-Content-Length": length}
    body = json.dumps(TEXT).encode() + b"\4\0\0\0ball"
    answer = post(server, "models/siglip_text/infer", content=body, headers=headers)
    assert answer.status_code >= 400
    assert answers(server)


@pytest.mark.parametrize("length", ["0", "x"])
def test_a_raw_binary_body_is_rejected_by_a_model_of_two_inputs(server, length):
    headers = {"Inference-Header-Content-Length": length}
    for body in (b"a red ball", b""):
        answer = post(server, "models/siglip_text/infer", content=body, headers=headers)
        assert answer.status_code == 400, answer.text
    assert answers(server)


@pytest.mark.parametrize("size", [-1, 2**31, 2**63 - 1, "x"])
def test_wrong_sizes_of_binary_tensors_are_rejected(server, size):
    tensor = {**TEXT["inputs"][0], "parameters": {"binary_data_size": size}}
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    answer = post(server, "models/siglip_text/infer", content=head + b"1", headers=headers)
    assert answer.status_code >= 400
    assert answers(server)


@pytest.mark.parametrize(
    "parameters",
    [
        {"priority": 2**63 - 1},
        {"timeout": 1},
        {"sequence_id": 7, "sequence_start": True},
        {"sequence_id": "a" * 5000, "sequence_end": True},
        {"triton_enable_empty_final_response": True},
    ],
)
def test_sequence_and_schedule_parameters_do_no_harm(server, parameters):
    post(server, "models/siglip_text/infer", json={**TEXT, "parameters": parameters})
    assert answers(server)


def test_regions_that_nobody_registered_are_rejected(server):
    parameters = {"shared_memory_region": "x", "shared_memory_byte_size": 2**40}
    tensor = {**TEXT["inputs"][0], "parameters": parameters}
    tensor.pop("data")
    answer = post(server, "models/siglip_text/infer", json={"inputs": [tensor]})
    assert answer.status_code >= 400
    assert answers(server)


def test_the_server_is_back_after_requests_that_end_triton(media):
    with serving(media) as (process, _, ports):
        for request, number in DEADLY:
            url = f"http://127.0.0.1:{ports.http}/v2/models/video_analysis/infer"
            with pytest.raises(httpx.RemoteProtocolError):
                httpx.post(url, json=request, timeout=30)
            assert f"Triton ended by {number}" in process.stderr.readline()
            assert any(line.startswith("Trireel is ready") for line in process.stdout)
    assert process.returncode == 0
