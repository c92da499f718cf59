# SPDX-License-Identifier: Apache-2.0
"""Where everything is that the load needs, and a thread's own connections to the server."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from trireel_client import (
    InvalidRequest,
    NotFound,
    RequestCancelled,
    RequestTimeout,
    Retry,
    ServerError,
    ServerUnavailable,
    Timeout,
    TrireelClient,
    TrireelError,
    Unsupported,
)

HANG_SECONDS = 120.0
"""What has no answer by then has none."""
IMPATIENT_SECONDS = 0.05
PATIENCE = Retry(attempts=12)  # a burst fills the server for a while

STATUSES: Mapping[type[TrireelError], str] = {
    InvalidRequest: "INVALID_ARGUMENT",
    NotFound: "NOT_FOUND",
    RequestCancelled: "CANCELLED",
    RequestTimeout: "DEADLINE_EXCEEDED",
    ServerError: "INTERNAL",
    ServerUnavailable: "UNAVAILABLE",
    Unsupported: "UNIMPLEMENTED",
}


@dataclass(frozen=True)
class Place:
    """What the load is put on, and with what."""

    grpc_url: str
    http_url: str
    metrics_url: str
    media: Path
    clips: tuple[str, ...]
    """Names of the good files in the media folder."""
    mutants: tuple[bytes, ...]
    web_url: str
    """Of the web server that has the clips, and some paths that go wrong."""
    s3_uris: Mapping[str, str]
    """By name of the clip; empty where there is no S3."""
    numbers: "count[int]"
    """Makes URIs that nobody has asked for; safe in threads, as `next` of it is one step."""


@dataclass(frozen=True)
class Clients:
    """A thread's own connections."""

    grpc: TrireelClient
    http: TrireelClient
    once: TrireelClient
    """By gRPC, and never asks again."""
    impatient: TrireelClient
    raw: InferenceServerClient
    """Triton's own, to send what ours would not."""


@contextlib.contextmanager
def clients(place: Place) -> Iterator[Clients]:
    """Yield connections, closed afterwards."""
    patient, soon = (Timeout(request_seconds=s) for s in (HANG_SECONDS, IMPATIENT_SECONDS))
    with (
        TrireelClient(place.grpc_url, timeout=patient, retries=PATIENCE) as grpc,
        TrireelClient(place.http_url, protocol="http", timeout=patient, retries=PATIENCE) as http,
        TrireelClient(place.grpc_url, timeout=patient, retries=Retry(attempts=1)) as once,
        TrireelClient(place.grpc_url, timeout=soon, retries=Retry(attempts=1)) as impatient,
        contextlib.closing(InferenceServerClient(place.grpc_url)) as raw,
    ):
        yield Clients(grpc, http, once, impatient, raw)


def status_of(error: BaseException) -> str:
    """Return gRPC's name of what an error says, or the error's own name."""
    if isinstance(error, InferenceServerException):
        return str(error.status()).removeprefix("StatusCode.")
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return status
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """Return what an error says to a person."""
    if isinstance(error, InferenceServerException):
        message: Any = error.message()
        return str(message)
    return str(error)
