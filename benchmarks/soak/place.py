# SPDX-License-Identifier: Apache-2.0
"""The server and files that the load uses, and the connections of a thread."""

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
"""Time after which a missing answer counts as a hang."""
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
    """The server under load, and the sources of videos."""

    grpc_url: str
    http_url: str
    metrics_url: str
    media: Path
    clips: tuple[str, ...]
    """Names of the good files in the media folder."""
    mutants: tuple[bytes, ...]
    web_url: str
    """URL of the web server with the clips, and with some paths that fail."""
    s3_uris: Mapping[str, str]
    """URIs by name of the clip; empty without S3."""
    numbers: "count[int]"
    """Numbers for URIs that were never requested; `next` is atomic, so threads may share it."""


@dataclass(frozen=True)
class Clients:
    """The connections of one thread."""

    grpc: TrireelClient
    http: TrireelClient
    once: TrireelClient
    """A gRPC client without retries."""
    impatient: TrireelClient
    """A gRPC client with a deadline of milliseconds."""
    raw: InferenceServerClient
    """Triton's own client, which sends invalid requests too."""


@contextlib.contextmanager
def clients(place: Place) -> Iterator[Clients]:
    """Yield connections, and close them at the end."""
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
    """Return the gRPC status of an error, or the name of its class."""
    if isinstance(error, InferenceServerException):
        return str(error.status()).removeprefix("StatusCode.")
    for kind, status in STATUSES.items():
        if isinstance(error, kind):
            return status
    return type(error).__name__


def message_of(error: BaseException) -> str:
    """Return the message of an error."""
    if isinstance(error, InferenceServerException):
        message: Any = error.message()
        return str(message)
    return str(error)
