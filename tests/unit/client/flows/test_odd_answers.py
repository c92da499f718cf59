# SPDX-License-Identifier: Apache-2.0
"""Answers that are none, or come in part, or not at all."""

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
from unit.client.loopback import QUICK, Loopback
from unit.client.scripted import Refused, whole_video

from trireel_client import (
    RequestTimeout,
    Retry,
    ServerPath,
    ServerUnavailable,
    Timeout,
    TrireelClient,
    UnexpectedAnswer,
)


@contextmanager
def raw_http(said: bytes, asked: list[bytes] | None = None) -> Iterator[str]:
    """Serve the same bytes to whatever is asked, then hang up; yields HOST:PORT."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    line, _ = listening.accept()
                except OSError:  # shut down
                    return
                with line:
                    request = line.recv(65536)
                    if asked is not None:
                        asked.append(request)
                    line.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listening.getsockname()[1]}"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("said", [b"{}", b"[]", b"null", b'"x"', b'{"parameters": 1}'])
@pytest.mark.parametrize("asked", ["server_info", "embed_texts"])
def test_json_of_something_else(said: bytes, asked: str) -> None:
    with raw_http(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(said), said)) as url:
        client = TrireelClient(url, protocol="http", retries=Retry(1))
        with client, pytest.raises(UnexpectedAnswer, match="answers, but not as KServe v2"):
            client.server_info() if asked == "server_info" else client.embed_texts(["a"])


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 200 OK\r\nConte",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ],
)
def test_an_answer_cut_off_is_asked_for_again(said: bytes) -> None:
    asked: list[bytes] = []
    with raw_http(said, asked) as url:
        client = TrireelClient(url, protocol="http", retries=QUICK)
        with client, pytest.raises(ServerUnavailable, match="before its answer's end"):
            client.embed_texts(["a"])
    assert sum(request.startswith(b"POST") for request in asked) == QUICK.attempts


def test_a_hint_said_twice(server: Loopback) -> None:
    server.script.answers["video_analysis"] = lambda asked: whole_video()
    server.script.refusals = [Refused("UNAVAILABLE", 503, "full")]
    if server.protocol == "http":
        server.script.refusals[0].headers = {"Retry-After": "1\r\nRetry-After: 2"}
    with server.client(retries=Retry(1)) as client, pytest.raises(ServerUnavailable) as raised:
        client.analyze(ServerPath("a.mp4"))
    assert raised.value.retry_after_seconds == (1.0 if server.protocol == "http" else None)


def test_no_connection_in_time_is_told_by_its_own_time() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf, ExitStack() as others:
        for _ in range(4):  # they fill its queue: further ones get no answer at all
            other = others.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(deaf.getsockname())
        url = f"127.0.0.1:{deaf.getsockname()[1]}"
        timeout = Timeout(0.3, 60.0)
        with (
            TrireelClient(url, protocol="http", timeout=timeout) as client,
            pytest.raises(RequestTimeout, match=r"did not connect within 0\.3 s"),
        ):
            client.embed_texts(["a"])


def test_embeddings_of_differing_width(server: Loopback) -> None:
    def embed(asked):
        n = len(asked.inputs["TEXTS"])
        return {"EMBEDDINGS": np.ones((n, 8 if n == 64 else 7), np.float32)}

    server.script.answers["siglip_text"] = embed
    with (
        server.client() as client,
        pytest.raises(UnexpectedAnswer, match=r"\[1, 7\], not \[1, 8\]"),
    ):
        client.embed_texts(["x"] * 65)
