# SPDX-License-Identifier: Apache-2.0
"""Proxies of the environment: loopback is reached directly, and errors name a proxy."""

import socket
import threading
from collections.abc import Iterator

import pytest
from unit.client.loopback import Loopback

from trireel_client import AsyncTrireelClient, Retry, ServerUnavailable, Timeout, TrireelClient
from trireel_client._config import Address
from trireel_client._transports.proxy import EXEMPTION_VARIABLES, PROXY_VARIABLES, proxy_notice

ONCE = Retry(attempts=1)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*PROXY_VARIABLES, *EXEMPTION_VARIABLES):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that refuses every connection, and what it was sent."""
    received: list[bytes] = []

    def refuse() -> None:
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                received.append(line.recv(2**16))
                line.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse, daemon=True)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", received
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


@pytest.mark.parametrize("name", PROXY_VARIABLES)
def test_loopback_is_reached_without_the_proxy(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[bytes]], name: str
) -> None:
    url, received = proxy
    monkeypatch.setenv(name, f"http://{url}")
    with server.client() as client:
        assert client.is_ready()
    assert received == []


async def test_loopback_is_reached_without_the_proxy_async(
    server: Loopback, monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[bytes]]
) -> None:
    url, received = proxy
    monkeypatch.setenv("http_proxy", f"http://{url}")
    if server.protocol == "grpc":
        async with AsyncTrireelClient(server.url) as client:
            assert await client.is_ready()
    assert received == []


def test_an_error_names_the_proxy_without_credentials(
    monkeypatch: pytest.MonkeyPatch, proxy: tuple[str, list[bytes]]
) -> None:
    url, received = proxy
    monkeypatch.setenv("http_proxy", f"http://me:secret@{url}")
    timeout = Timeout(connect_seconds=5.0)
    with (
        TrireelClient("trireel.invalid:8001", retries=ONCE, timeout=timeout) as client,
        pytest.raises(
            ServerUnavailable, match=rf"through the proxy {url} \(set by http_proxy\)"
        ) as failure,
    ):
        client.server_info()
    assert received[0].startswith(b"CONNECT trireel.invalid:8001")
    assert "secret" not in str(failure.value)


@pytest.mark.parametrize(
    ("host", "environment", "through"),
    [
        ("gpu.example", {"http_proxy": "http://p:1", "grpc_proxy": "http://q:2"}, "q:2"),
        ("gpu.example", {"http_proxy": "http://p:1", "https_proxy": "http://q:2"}, "q:2"),
        ("gpu.example", {"http_proxy": "http://p:1", "no_proxy": "a, .EXAMPLE"}, None),
        ("gpu.example", {"http_proxy": "http://p:1", "no_proxy": "other"}, "p:1"),
        ("10.1.2.3", {"http_proxy": "http://p:1", "no_proxy": "10.0.0.0/8"}, None),
        (
            "10.1.2.3",
            {"http_proxy": "http://p:1", "no_grpc_proxy": "b", "no_proxy": "10.1.2.3"},
            "p:1",
        ),
        ("gpu.example", {}, None),
        ("127.8.8.8", {"http_proxy": "http://p:1"}, None),
        ("::1", {"http_proxy": "http://p:1"}, None),
        ("::ffff:127.0.0.1", {"http_proxy": "http://p:1"}, None),
        ("LocalHost.", {"http_proxy": "http://p:1"}, None),
        ("a.localhost", {"http_proxy": "http://p:1"}, None),
    ],
)
def test_which_proxy_grpc_uses(
    monkeypatch: pytest.MonkeyPatch, host: str, environment: dict[str, str], through: str | None
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notice = proxy_notice(Address(host, 8001))
    assert (f"through the proxy {through} (" in notice) if through else notice == ""
