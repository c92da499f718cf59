# SPDX-License-Identifier: Apache-2.0
"""Send hostile requests, one after the other, and watch whether the server lives."""

import contextlib
import http.client
import socket
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from benchmarks.hostile.over_grpc import GrpcRequest
from benchmarks.hostile.over_http import HttpRequest

TIMEOUT_SECONDS = 3.0
RAW_TIMEOUT_SECONDS = 0.05  # Triton waits for the rest of a request that has no end
POLL_SECONDS = 0.05
SERVICE = "/inference.GRPCInferenceService/"


@dataclass
class Outcome:
    """What became of the requests."""

    statuses: Counter[str] = field(default_factory=Counter)
    """Number of requests by protocol, extension and status."""
    outages: list[tuple[str, float]] = field(default_factory=list)
    """Each request that the server did not survive, and the seconds until it was ready again."""


@dataclass(frozen=True)
class Target:
    """The addresses of a server, HOST:PORT."""

    http: str
    grpc: str

    def is_ready(self) -> bool:
        """Return whether the server reports ready."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection(self.http, timeout=1.0)
            with contextlib.closing(connection):
                connection.request("GET", "/v2/health/ready")
                return connection.getresponse().status == 200
        return False

    def seconds_until_ready(self, most_seconds: float) -> float:
        """Wait until the server is ready; return the seconds, at most `most_seconds`."""
        begin = time.monotonic()
        while time.monotonic() - begin < most_seconds and not self.is_ready():
            time.sleep(POLL_SECONDS)
        return time.monotonic() - begin


def send_http(target: Target, request: HttpRequest) -> str:
    """Send a request; return its status, or how the connection ended."""
    try:
        if request.raw is not None:
            return _send_raw(target, request.raw)
        connection = http.client.HTTPConnection(target.http, timeout=TIMEOUT_SECONDS)
        with contextlib.closing(connection):
            connection.request(request.method, request.path, request.body, request.headers)
            answer = connection.getresponse()
            answer.read(2**20)
            return str(answer.status)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return type(error).__name__


def _send_raw(target: Target, raw: bytes) -> str:
    host, _, port = target.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(raw)
        connection.settimeout(RAW_TIMEOUT_SECONDS)
        return connection.recv(4096)[9:12].decode("ascii", "replace") or "closed"


def send_grpc(channel: grpc.Channel, request: GrpcRequest) -> str:
    """Send a call; return its code."""
    path = SERVICE + request.method
    try:
        if request.method == "ModelStreamInfer":
            stream = channel.stream_stream(path)
            for _ in stream(iter(request.messages), timeout=TIMEOUT_SECONDS):
                pass
        else:
            channel.unary_unary(path)(request.messages[0], timeout=TIMEOUT_SECONDS)
    except grpc.RpcError as error:
        return str(error.code().name)
    return "OK"


@contextlib.contextmanager
def fresh_channels(target: Target) -> Iterator[Any]:
    """Yield a function that returns a gRPC channel; `renew=True` makes a new one."""
    channels: list[grpc.Channel] = []

    def channel(renew: bool = False) -> grpc.Channel:
        if renew or not channels:
            channels.append(grpc.insecure_channel(target.grpc))
        return channels[-1]

    try:
        yield channel
    finally:
        for each in channels:
            each.close()


def send_all(
    target: Target, requests: Iterator[HttpRequest | GrpcRequest], most_seconds: float
) -> Outcome:
    """Send requests one after the other; after an error, see whether the server is still ready.

    Args:
        most_seconds: seconds to wait for a server that does not answer.
    """
    outcome = Outcome()
    with fresh_channels(target) as channel:
        for request in requests:
            if isinstance(request, HttpRequest):
                protocol, status = "HTTP", send_http(target, request)
            else:
                protocol, status = "gRPC", send_grpc(channel(), request)
            outcome.statuses[f"{protocol}, {request.extension}: {status}"] += 1
            if status.isdecimal() or status == "OK" or target.is_ready():
                continue
            seconds = target.seconds_until_ready(most_seconds)
            outcome.outages.append((f"{protocol}: {str(request)[:600]}", round(seconds, 1)))
            message = f"the server was away for {seconds:.1f} s: {request}"
            print(message, file=sys.stderr, flush=True)
            channel(renew=True)
            if seconds >= most_seconds:
                break
    return outcome
