# SPDX-License-Identifier: Apache-2.0
"""httpx over connections that go only to checked addresses and end with a deadline.

Each connection looks its host name up once, checks all addresses, and connects to one of them. So
a DNS server that returns another address the next time changes nothing. Host header, SNI and
certificate are still those of the name.
"""

import ssl
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import httpcore
import httpx

from trireel_backend.errors import Unavailable
from trireel_backend.sources.addresses import Resolve, checked_addresses
from trireel_backend.sources.limits import Deadline
from trireel_backend.sources.retries import TryAgain
from trireel_schema.networks import Network

CONNECT_SECONDS = 5.0  # per address
SILENCE_SECONDS = 15.0  # without a byte, until the connection counts as broken
SLICE_SECONDS = 0.5  # longest wait between checks of the deadline


class CheckedTransport(httpx.BaseTransport):
    """Connects only to allowed addresses, without proxies, and ends at the deadline."""

    def __init__(
        self,
        resolve: Resolve,
        allowed: Sequence[Network],
        deadline: Deadline,
        tls: ssl.SSLContext,
    ) -> None:
        backend = _CheckedBackend(resolve, allowed, deadline)
        self._pool = httpcore.ConnectionPool(ssl_context=tls, network_backend=backend)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpcore's own errors."""
        assert isinstance(request.stream, httpx.SyncByteStream)
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        assert isinstance(response.stream, Iterable)
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class _CheckedBackend(httpcore.NetworkBackend):
    def __init__(self, resolve: Resolve, allowed: Sequence[Network], deadline: Deadline) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._deadline = deadline

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        try:
            addresses = checked_addresses(host, port, self._resolve, self._allowed)
        except Unavailable as error:
            raise TryAgain(str(error)) from error
        last_error: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            seconds = min(CONNECT_SECONDS, self._deadline.remaining())
            try:
                stream = httpcore.SyncBackend().connect_tcp(address, port, seconds)
                return _BoundedStream(stream, self._deadline)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last_error = error
        raise last_error


class _BoundedStream(httpcore.NetworkStream):
    """Waits in slices, so that neither single bytes nor silence can outlast the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        silent_since = time.monotonic()
        while True:
            try:
                return self._stream.read(max_bytes, min(SLICE_SECONDS, self._deadline.remaining()))
            except httpcore.ReadTimeout:
                self._deadline.remaining()
                if time.monotonic() - silent_since >= SILENCE_SECONDS:
                    raise httpcore.ReadTimeout(f"no byte in {SILENCE_SECONDS:g} s") from None

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, min(SILENCE_SECONDS, self._deadline.remaining()))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        seconds = min(SILENCE_SECONDS, self._deadline.remaining())
        stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return _BoundedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
