# SPDX-License-Identifier: Apache-2.0
"""Videos over HTTP, from correct servers and from faulty ones."""

import gzip
import socket
import time

import pytest
from support.web import web_server, with_ranges

from trireel_backend.errors import (
    AccessDenied,
    InvalidInput,
    SourceTooLarge,
    Unavailable,
    Unsupported,
    VideoNotFound,
)

from .fetcher import VIDEO, Fetcher, sequence, status


def test_a_video_is_complete(fetch):
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a")) == VIDEO
        headers = server.requests[0].headers
    assert headers["Host"] == f"127.0.0.1:{server.server_port}"
    assert headers["Accept-Encoding"] == "identity"
    assert "Range" not in headers


def test_a_video_without_a_length_is_complete(fetch):
    def answer(handler):
        handler.answer(200, VIDEO, Content_Length=None)

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_a_video_in_http_chunks_is_complete(fetch):
    def answer(handler):
        handler.answer(Content_Length=None, Transfer_Encoding="chunked")
        for start in range(0, len(VIDEO), 50000):
            piece = VIDEO[start : start + 50000]
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        handler.wfile.write(b"0\r\n\r\n")

    with web_server({"/a": answer}) as server:
        assert fetch(server.url("/a")) == VIDEO


@pytest.mark.parametrize(
    ("code", "error", "message"),
    [
        (404, VideoNotFound, "answered 404"),
        (410, VideoNotFound, "answered 410"),
        (401, AccessDenied, "answered 401"),
        (403, AccessDenied, "answered 403: the source denies this server access"),
        (400, InvalidInput, "answered 400"),
        (204, InvalidInput, "answered 204"),
    ],
)
def test_a_final_error_is_not_retried(fetch, code, error, message):
    with web_server({"/a": status(code)}) as server:
        with pytest.raises(error, match=message):
            fetch(server.url("/a"))
        assert len(server.requests) == 1


@pytest.mark.parametrize("code", [500, 502, 503, 504, 408, 429])
def test_a_temporary_failure_is_retried(fetch, code):
    with web_server({"/a": sequence(status(code), with_ranges(VIDEO))}) as server:
        assert fetch(server.url("/a")) == VIDEO


def test_retries_end(fetch):
    with web_server({"/a": status(500)}) as server:
        with pytest.raises(Unavailable, match="answered 500: try again later"):
            fetch(server.url("/a"))
        assert len(server.requests) == 4


def test_retry_after_is_respected(fetch):
    answers = sequence(status(429, Retry_After=2), with_ranges(VIDEO))
    with web_server({"/a": answers}) as server:
        began = time.monotonic()
        assert fetch(server.url("/a")) == VIDEO
        assert 2 <= time.monotonic() - began < 4


def test_an_unreachable_server_is_unavailable(fetch):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable, match=r"did not answer.*refused"):
            fetch(f"http://127.0.0.1:{probe.getsockname()[1]}/a")


def test_a_length_beyond_the_limit_is_rejected(tmp_path):
    fetch = Fetcher(tmp_path, max_bytes=1000)
    with (
        web_server({"/a": with_ranges(VIDEO)}) as server,
        pytest.raises(SourceTooLarge, match=r"256000 bytes or more.*up to 1000 bytes"),
    ):
        fetch(server.url("/a"))


def test_an_endless_video_is_rejected_at_the_limit(tmp_path):
    def endless(handler):
        handler.answer(Content_Length=None)
        while True:
            handler.wfile.write(VIDEO)

    fetch = Fetcher(tmp_path, max_bytes=1_000_000)
    with (
        web_server({"/a": endless}) as server,
        pytest.raises(SourceTooLarge, match="up to 1000000 bytes"),
    ):
        fetch(server.url("/a"))


def test_an_empty_video_is_rejected(fetch):
    with (
        web_server({"/a": with_ranges(b"")}) as server,
        pytest.raises(InvalidInput, match="is empty"),
    ):
        fetch(server.url("/a"))


def test_a_compressed_video_is_rejected(fetch):
    def compressed(handler):
        handler.answer(200, gzip.compress(VIDEO), Content_Encoding="gzip")

    with (
        web_server({"/a": compressed}) as server,
        pytest.raises(Unsupported, match="Content-Encoding 'gzip'"),
    ):
        fetch(server.url("/a"))


def drip(seconds, head=b""):
    def answer(handler):
        handler.wfile.write(head)
        while True:
            handler.wfile.write(b"x")
            time.sleep(seconds)

    return answer


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [drip(0.05, HEAD), drip(0.05, b"HTTP/1.1 200 OK\r\nX: "), drip(0.05), drip(60, HEAD)],
    ids=["body", "headers", "status line", "silence"],
)
def test_a_slow_server_ends_with_the_deadline(tmp_path, answer):
    fetch = Fetcher(tmp_path, timeout_seconds=1.5)
    with web_server({"/a": answer}) as server:
        began = time.monotonic()
        with pytest.raises(Unavailable, match=r"not fetched in 1.5 s"):
            fetch(server.url("/a"))
        assert time.monotonic() - began < 3


def test_a_silent_server_ends_with_the_deadline(tmp_path):
    fetch = Fetcher(tmp_path, timeout_seconds=1.0)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(Unavailable, match="not fetched in 1 s"):
            fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/a")


def test_proxies_of_the_environment_are_not_used(fetch, monkeypatch):
    with web_server({"/a": with_ranges(VIDEO)}) as server, web_server({}) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert fetch(server.url("/a")) == VIDEO
        assert proxy.requests == []


def test_a_known_version_is_not_sent_again(tmp_path):
    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": with_ranges(VIDEO)}) as server:
        assert fetch(server.url("/a")) == fetch(server.url("/a")) == VIDEO
        assert server.requests[1].headers["If-None-Match"] == '"v1"'


@pytest.mark.parametrize(
    "validators", [{"ETag": '"\xe9"'}, {"ETag": '"v1"', "Last_Modified": "13 ao\xfbt 2026"}]
)
def test_a_validator_that_is_not_ascii_is_not_sent_back(tmp_path, validators):
    def answer(handler):
        handler.answer(200, VIDEO, **validators)

    def breaking(handler):
        handler.answer(200, VIDEO[:1000], **validators, Content_Length=len(VIDEO))

    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": sequence(answer, breaking, answer)}) as server:
        assert fetch(server.url("/a")) == fetch(server.url("/a")) == VIDEO
        requests = [request.headers for request in server.requests]
    assert len(requests) == 3
    assert all("If-Modified-Since" not in headers for headers in requests)
    etag = validators["ETag"]
    sent = etag if etag.isascii() else None
    assert (requests[1]["If-None-Match"], requests[2]["If-Range"]) == (sent, sent)


def test_a_new_version_replaces_the_old(tmp_path):
    fetch = Fetcher(tmp_path, spool_reuse_seconds=0.0)
    with web_server({"/a": sequence(with_ranges(VIDEO), with_ranges(b"new", '"2"'))}) as server:
        assert fetch(server.url("/a")) == VIDEO
        assert fetch(server.url("/a")) == b"new"
    assert len(list(tmp_path.glob("video-*"))) == 1
