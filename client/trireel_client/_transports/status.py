# SPDX-License-Identifier: Apache-2.0
"""From the errors of the transports to the errors of this package."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from trireel_client._config import Address
from trireel_client._errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    RequestCancelled,
    RequestError,
    RequestTimeout,
    SequenceLost,
    ServerError,
    ServerFull,
    ServerUnavailable,
    TrireelError,
    UnexpectedAnswer,
    Unsupported,
)

_BY_GRPC_CODE: dict[str, type[RequestError]] = {
    "ABORTED": ServerError,
    "ALREADY_EXISTS": InvalidRequest,
    "CANCELLED": RequestCancelled,
    "DATA_LOSS": ServerError,
    "DEADLINE_EXCEEDED": RequestTimeout,
    "FAILED_PRECONDITION": InvalidRequest,
    "INTERNAL": ServerError,
    "INVALID_ARGUMENT": InvalidRequest,
    "NOT_FOUND": NotFound,
    "OUT_OF_RANGE": InvalidRequest,
    "PERMISSION_DENIED": NotAllowed,
    "RESOURCE_EXHAUSTED": InvalidRequest,  # a message over a size limit
    "UNAUTHENTICATED": NotAllowed,
    "UNAVAILABLE": ServerUnavailable,
    "UNIMPLEMENTED": Unsupported,
    "UNKNOWN": ServerError,
}
_BY_HTTP_STATUS: dict[str, type[RequestError]] = {
    "400": InvalidRequest,
    "401": NotAllowed,
    "403": NotAllowed,
    "404": NotFound,
    "405": Unsupported,
    "408": RequestTimeout,
    "409": InvalidRequest,
    "411": InvalidRequest,
    "413": InvalidRequest,
    "415": InvalidRequest,
    "422": InvalidRequest,
    "429": ServerUnavailable,
    "499": RequestCancelled,
    "500": ServerError,
    "501": Unsupported,
    "502": ServerUnavailable,
    "503": ServerUnavailable,
    "504": ServerUnavailable,  # a proxy's: the server itself never says it
}
# Messages of a Triton that is stopping, with any status (2.51, seen while it was stopped and killed
# under load): it no longer schedules, has unloaded the model, or a model's process died. If a proxy
# loses the server, it resets the stream, which is an internal error for gRPC.
_GOING_AWAY = re.compile(
    r"Server is stopping, scheduler for model has stopped accepting"
    r"|unknown model: '[^']*' has no available versions"
    r"|Stub process '[^']*' is not healthy"
    r"|Received RST_STREAM with error code"
)
# The first is Triton's, about a model's queue; the second is our models', and the reason follows.
_FULL = re.compile(r"Exceeds maximum queue size|the server is full: ")
_COME_AGAIN = re.compile(r"ask again in about (\d{1,9}) s\b")
# Envoy has no gRPC status for this error.
_TOO_LARGE = re.compile(r"Payload Too Large")
# The first is Triton's, the second the decoder's: it has no state of this sequence.
_SEQUENCE_UNKNOWN = re.compile(
    r"must specify the START flag on the first request of the sequence"
    r"|sequence .* is not open: send START"
)

# The message of tritonclient for an error page that it cannot read, such as a proxy's.
_NOT_THE_SERVERS = "an exception occurred in the client while decoding the response"
# gRPC's messages about an HTTP port: of older releases, and of newer ones.
_SPEAKS_HTTP = re.compile(r"http1\.x|Expected SETTINGS frame as the first frame", re.I)
# Triton's HTTP port closes a connection that begins with gRPC's preface.
_NO_GRPC = re.compile(r"failed to connect to all addresses.*Socket closed")
# The messages of geventhttpclient for an answer that began and did not end.
_CUT_OFF = re.compile(r"Incomplete response|Invalid EOF state|connection closed")
EARLY = 0.9  # timers are not exact
CANCELLED = "the request was cancelled before its answer"
RETRY_HEADER = "retry-after"
PUSHBACK_HEADER = "grpc-retry-pushback-ms"  # gRPC's own header; a negative value means never
_SECONDS = re.compile(r"\d{1,9}")
_REQUEST_ID = re.compile(r"^\[request id: [^]]*\] ")


@dataclass(frozen=True)
class Peer:
    """The server of a request, as far as error messages need it."""

    address: Address
    """Address of the server."""
    wait_seconds: float
    """Longest time of an answer."""
    retry_after: Callable[[], str | None] = lambda: None
    """Returns the `Retry-After` of the last answer, if the transport's errors do not hold it."""
    connect_seconds: float | None = None
    """Longest time of a connection, if it is not part of the answer's time."""
    proxy: str = ""
    """Text that errors add about a proxy on the way to the server; empty without a proxy."""
    began_seconds: float = field(default_factory=time.monotonic)
    """Time of the request on this machine's monotonic clock."""


@contextmanager
def translated(peer: Peer) -> Iterator[None]:
    """Raise this package's errors in place of the transport's."""
    try:
        yield
    except (TrireelError, GeneratorExit):
        raise
    except BaseException as error:  # gevent's Timeout is not an Exception
        known = translate(error, peer)
        if known is None:
            raise
        raise known from error


def translate(error: BaseException, peer: Peer) -> TrireelError | None:
    """Return this package's error for an error of a transport, None for any other error."""
    import grpc
    from tritonclient.utils import InferenceServerException

    if isinstance(error, InferenceServerException):
        message = error.message() or ""
        if message.startswith(_NOT_THE_SERVERS):
            message = f"HTTP status {error.status()} from something that is not the server"
        known = _of_status(error.status(), message, peer)
    elif isinstance(error, grpc.RpcError):
        code = getattr(error, "code", lambda: None)()
        details = getattr(error, "details", lambda: None)()
        known = _of_status(str(code), details or "", peer)
    else:
        return _of_raw(error, peer)
    if isinstance(known, ServerUnavailable):
        known.retry_after_seconds = _hint_seconds(error, str(known), peer)
    return known


def _of_status(status: str | None, message: str, peer: Peer) -> RequestError:
    name = (status or "").removeprefix("StatusCode.")
    kind = _BY_GRPC_CODE.get(name) or _BY_HTTP_STATUS.get(name) or ServerError
    if kind in (ServerError, NotFound) and _GOING_AWAY.search(message):
        kind = ServerUnavailable
    elif kind is ServerError and _TOO_LARGE.fullmatch(message):
        kind = InvalidRequest
    elif kind is ServerUnavailable and _FULL.search(message):
        kind = ServerFull
    elif kind is InvalidRequest and _SEQUENCE_UNKNOWN.search(message):
        kind = SequenceLost
    word = _WORDS.get(kind)
    return word(message, peer) if word else kind(_one_line(message) or f"status {status}")


def _hint_seconds(error: BaseException, message: str, peer: Peer) -> float | None:
    """Return when to retry, from a header, gRPC's trailing metadata or the message."""
    if retry_after := peer.retry_after():
        return _seconds(retry_after)
    # For tritonclient's error, only its context has the metadata.
    for source in (error, error.__context__):
        metadata = dict(getattr(source, "trailing_metadata", lambda: None)() or ())
        if RETRY_HEADER in metadata:
            return _seconds(str(metadata[RETRY_HEADER]))
        if (pushback_ms := _seconds(str(metadata.get(PUSHBACK_HEADER)))) is not None:
            return pushback_ms / 1000
    hint = _COME_AGAIN.search(message)
    return _seconds(hint[1]) if hint else None


def _seconds(text: str) -> float | None:
    """Return the number of a `Retry-After`, None for its other form, a date."""
    return float(text) if _SECONDS.fullmatch(text) else None


def _of_raw(error: BaseException, peer: Peer) -> TrireelError | None:
    """Translate the errors that the HTTP client passes on: those of sockets, gevent and its own.

    Classes are compared by name, so that requests by gRPC do not load the HTTP libraries.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, TimeoutError) or type(error).__module__ == "gevent.timeout":
        return _raw_timeout(peer)
    if "HTTPConnectionClosed" in kinds:
        return _unavailable("it closed the connection without an answer", peer)
    if "HTTPParseError" in kinds and _CUT_OFF.search(str(error)):
        return _unavailable("it closed the connection before its answer's end", peer)
    if kinds & {"HTTPParseError", "JSONDecodeError"}:
        return UnexpectedAnswer(f"{peer.address} answers, but not with KServe v2 over HTTP")
    if isinstance(error, OSError):
        return _unavailable(error.strerror or str(error), peer)
    return None


def _raw_timeout(peer: Peer) -> RequestTimeout:
    """Return the error of the time that ran out: the connection's, or the answer's."""
    spent_seconds = time.monotonic() - peer.began_seconds
    if peer.connect_seconds is not None and spent_seconds < EARLY * peer.wait_seconds:
        return RequestTimeout(f"{peer.address} did not connect within {peer.connect_seconds:g} s")
    return _timeout(peer)


def _timeout(peer: Peer) -> RequestTimeout:
    return RequestTimeout(
        f"{peer.address} did not answer within {peer.wait_seconds:g} s{peer.proxy}"
    )


def _unavailable(message: str, peer: Peer) -> RequestError:
    if _SPEAKS_HTTP.search(message):
        return Unsupported(
            f"{peer.address} answers by HTTP, not by gRPC: give the gRPC port, by default 8001, or"
            " use HTTP"
        )
    if "connection refused" in message.lower():
        message = "no server listens there (connection refused)"
    elif _NO_GRPC.search(message):
        message = "it closes the connection: is this the gRPC port, by default 8001?"
    reason = _one_line(message) or "no reason given"
    return ServerUnavailable(f"the server at {peer.address} is not available: {reason}{peer.proxy}")


def _full(message: str, peer: Peer) -> ServerFull:
    reason = _one_line(message).rpartition("the server is full: ")[2]
    if "Exceeds maximum queue size" in reason:
        reason = "its queue is full; retry in a while, or on another server"
    return ServerFull(f"the server at {peer.address} is full: {reason}")


def _lost(message: str, peer: Peer) -> SequenceLost:
    return SequenceLost(
        f"the server reached at {peer.address} does not know the sequence ({_one_line(message)}):"
        " begin the video again, with another sequence_id"
    )


def _failed(message: str, peer: Peer) -> ServerError:
    return ServerError(f"the server failed: {_one_line(message) or 'no reason given'}")


_WORDS: dict[type[RequestError], Callable[[str, Peer], RequestError]] = {
    RequestTimeout: lambda _, peer: _timeout(peer),
    ServerUnavailable: _unavailable,
    ServerFull: _full,
    RequestCancelled: lambda *_: RequestCancelled(CANCELLED),
    SequenceLost: _lost,
    ServerError: _failed,
}


def _one_line(message: str) -> str:
    """Return a server's message as one line, without the request's id that Triton puts first."""
    return " ".join(_REQUEST_ID.sub("", message, count=1).split())
