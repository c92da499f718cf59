# SPDX-License-Identifier: Apache-2.0
"""The same video from wherever it comes, through a server that may fetch from loopback."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import boto3
import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from support.raw import Raw, video
from support.s3 import s3_server
from support.web import web_server, with_ranges

from trireel_backend.launch.embedded.server import ServerOptions, embedded_server
from trireel_backend.launch.ports import Ports
from trireel_client import ServerPath, TrireelClient

from .conftest import EXPORT, MODELS, SAMPLE, served


@pytest.fixture(scope="module")
def web():
    """A web server with the sample and some trouble."""
    video = SAMPLE.read_bytes()
    answers = {
        "/sample.mp4": with_ranges(video),
        "/again.mp4": with_ranges(video),
        "/moved": lambda handler: handler.answer(302, Location="/sample.mp4"),
        "/metadata": lambda handler: handler.answer(302, Location="http://169.254.169.254/"),
        "/text.mp4": with_ranges(b"I am not a video."),
        "/large.mp4": lambda handler: handler.answer(200, b"", Content_Length=10**9),
        "/denied.mp4": lambda handler: handler.answer(403),
        "/missing.mp4": lambda handler: handler.answer(404),
        "/failing.mp4": lambda handler: handler.answer(500),
        "/dripping.mp4": drip,
    }
    with web_server(answers) as server:
        server.dripping, server.hung_up = threading.Event(), threading.Event()
        yield server


@pytest.fixture(scope="module")
def bucket():
    """An S3 server with the sample, to which the environment leads."""
    with s3_server() as environment, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="videos")
        client.upload_file(str(SAMPLE), "videos", "deep/down/sample.mp4")
        yield "videos"
        client.close()


@pytest.fixture(scope="module")
def server(bucket, web, tmp_path_factory):
    parameters = {
        "allowed_networks": "127.0.0.0/8",
        "source_max_bytes": str(10**8),
        "spool_reuse_seconds": "60",
        "max_frames_per_chunk": "32",  # two chunks a request
    }
    with served(SAMPLE.parent, tmp_path_factory.mktemp("log"), parameters) as server:
        yield server


def drip(handler):
    """Send a body a few bytes at a time, until the other side hangs up."""
    handler.send_response(200)
    handler.send_header("Content-Length", "10000000")
    handler.end_headers()
    handler.server.dripping.set()
    try:
        while True:
            handler.wfile.write(b"x" * 64)
            time.sleep(0.05)
    except (BrokenPipeError, ConnectionResetError):
        handler.server.hung_up.set()


def uri_of(source, web):
    return {
        "s3": "s3://videos/deep/down/sample.mp4",
        "http": web.url("/sample.mp4"),
        "redirect": web.url("/moved"),
        "file": f"file://{SAMPLE}",
    }[source]


@pytest.fixture(scope="module")
def by_path(server):
    with TrireelClient(server.grpc_url) as client:
        return client.analyze(ServerPath("sample.mp4"))


def assert_same(one, other):
    for a, b in zip(one.chunks, other.chunks, strict=True):
        assert a.frame_timestamps_seconds == b.frame_timestamps_seconds
        assert [tag.text for tag in a.tags] == [tag.text for tag in b.tags]
        np.testing.assert_allclose(a.scene_trace, b.scene_trace, atol=1e-5)
    assert one.caption.text == other.caption.text
    assert [cut.timestamp_seconds for cut in one.scene_changes] == [
        cut.timestamp_seconds for cut in other.scene_changes
    ]


@pytest.mark.parametrize("source", ["s3", "http", "redirect", "file"])
def test_one_answer_from_everywhere(either_client, web, by_path, source):
    assert_same(either_client.analyze(ServerPath(uri_of(source, web))), by_path)


@pytest.mark.parametrize("source", ["s3", "http"])
def test_streamed(client, web, by_path, source):
    *chunks, whole = client.stream(ServerPath(uri_of(source, web)))
    assert len(chunks) == len(by_path.chunks)
    assert_same(whole, by_path)


def test_stepped_through_with_one_download(client, web, by_path):
    """Every chunk is a request of its own, in one of two processes."""
    chunks = list(client.step(ServerPath(web.url("/again.mp4"))))
    assert len(chunks) == len(by_path.chunks)
    assert len([asked for asked in web.requests if asked.path == "/again.mp4"]) == 1


def test_asked_for_by_many_at_once_with_one_download(server, web, by_path):
    def analyze(_):
        with TrireelClient(server.grpc_url) as client:
            return client.analyze(ServerPath(web.url("/sample.mp4?many")))

    with ThreadPoolExecutor(8) as pool:
        for answer in pool.map(analyze, range(8)):
            assert_same(answer, by_path)
    assert len([asked for asked in web.requests if asked.path == "/sample.mp4?many"]) == 1


@pytest.mark.parametrize("model", ["video_analysis", "video_analysis_stream"])
def test_a_client_that_goes_away_ends_its_download(server, web, model):
    web.dripping.clear()
    web.hung_up.clear()
    tensor = tritonclient.grpc.InferInput("VIDEO", [1], "BYTES")
    tensor.set_data_from_numpy(np.array([web.url("/dripping.mp4").encode()], object))
    with tritonclient.grpc.InferenceServerClient(server.grpc_url) as raw:
        if model == "video_analysis":
            call = raw.async_infer(model, [tensor], callback=lambda result, error: None)
            assert web.dripping.wait(10)
            call.cancel()
        else:
            raw.start_stream(lambda result, error: None)
            raw.async_stream_infer(model, [tensor])
            assert web.dripping.wait(10)
            raw.stop_stream(cancel_requests=True)
        assert web.hung_up.wait(5)


def test_the_spool_holds_videos_and_records_alone(server, client, web):
    client.analyze(ServerPath(web.url("/sample.mp4")))
    models = Path(f"/proc/{server.process_id}/cmdline").read_text().split("\0")
    (repository,) = (part for part in models if part.startswith("--model-repository="))
    spool = Path(repository.partition("=")[2]).parent / "spool"
    kinds = {path.name.partition("-")[0] + path.suffix for path in spool.iterdir()}
    assert kinds == {"video", "uri.json"}


REFUSALS = [
    ("http://{web}/missing.mp4", 404, "answered 404"),
    ("http://{web}/denied.mp4", 400, "answered 403: the source denies this server access"),
    ("http://{web}/failing.mp4?secret", 503, "/failing.mp4 answered 500: try again later"),
    ("http://{web}/large.mp4", 400, "has 1000000000 bytes or more"),
    ("http://{web}/text.mp4", 400, "not a video"),
    ("http://{web}/metadata", 400, "'169.254.169.254' is an address that is not public"),
    ("http://169.254.169.254/latest/meta-data/", 400, "not public"),
    ("http://[::1]:{port}/sample.mp4", 400, "not public"),
    ("http://10.0.0.1/x", 400, "not public"),
    ("http://me:secret@{web}/sample.mp4", 400, "holds a user name"),
    ("s3://videos/missing.mp4", 404, "is not there"),
    ("s3://no-such-bucket/sample.mp4", 404, "is not there"),
    ("s3://videos/../secret", 400, "segment"),
    ("s3://B/x", 400, "not an S3 bucket name"),
    ("ftp://host/x", 501, "scheme 'ftp'"),
]


@pytest.mark.parametrize("protocol", ["grpc", "http"])
@pytest.mark.parametrize("model", ["video_analysis", "frame_extractor"])
@pytest.mark.parametrize(("uri", "status", "message"), REFUSALS)
def test_a_refusal_has_its_status(server, web, protocol, model, uri, status, message):
    uri = uri.format(web=f"127.0.0.1:{web.server_port}", port=web.server_port)
    raw = Raw(server, protocol)
    refusal = raw.refused(status, model, video(uri))
    raw.close()
    assert message in refusal
    assert "Traceback" not in refusal
    if "secret" in uri and "/../" not in uri:
        assert "secret" not in refusal


def test_a_server_is_not_started_with_a_wrong_network(tmp_path):
    from trireel_backend.errors import StartupError

    options = ServerOptions(
        models=MODELS,
        export=EXPORT,
        media_root=tmp_path,
        ports=Ports.free(),
        parameters={"allowed_networks": "loopback"},
    )
    with pytest.raises(StartupError, match="give CIDR"), embedded_server(options):
        pass
    assert os.listdir(tmp_path) == []
