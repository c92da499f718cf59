# SPDX-License-Identifier: Apache-2.0
"""From what the transports raise to this package's errors: all of it, in one place."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from trireel_client._config import Address
from trireel_client._errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    RequestCancelled,
    RequestError,
    RequestTimeout,
    ServerError,
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
    "504": RequestTimeout,
}

# How tritonclient tells of an error page it cannot read, such as a proxy's.
_NOT_THE_SERVERS = "an exception occurred in the client while decoding the response"
_REQUEST_ID = re.compile(r"^\[request id: [^]]*\] ")


@dataclass(frozen=True)
class Peer:
    """Whom a request goes to, as its errors tell it."""

    address: Address
    """The server's."""
    wait_seconds: float
    """How long an answer may take."""


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
    """Return this package's error for one that a transport raised, None where it is not one."""
    import grpc
    from tritonclient.utils import InferenceServerException

    if isinstance(error, InferenceServerException):
        message = error.message() or ""
        if message.startswith(_NOT_THE_SERVERS):
            message = f"HTTP status {error.status()} from something that is not the server"
        return _of_status(error.status(), message, peer)
    if isinstance(error, grpc.RpcError):
        code = getattr(error, "code", lambda: None)()
        details = getattr(error, "details", lambda: None)()
        return _of_status(str(code), details or "", peer)
    return _of_raw(error, peer)


def _of_status(status: str | None, message: str, peer: Peer) -> RequestError:
    name = (status or "").removeprefix("StatusCode.")
    kind = _BY_GRPC_CODE.get(name) or _BY_HTTP_STATUS.get(name) or ServerError
    word = _WORDS.get(kind)
    return word(message, peer) if word else kind(_one_line(message) or f"status {status}")


def _of_raw(error: BaseException, peer: Peer) -> TrireelError | None:
    """Translate what the HTTP client lets through: socket errors, gevent's, its own.

    The libraries' classes go by name, so that asking by gRPC does not load the HTTP ones.
    """
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if isinstance(error, TimeoutError) or type(error).__module__ == "gevent.timeout":
        return _timeout("", peer)
    if "HTTPConnectionClosed" in kinds:
        return _unavailable("it closed the connection without an answer", peer)
    if kinds & {"HTTPParseError", "JSONDecodeError"}:
        return UnexpectedAnswer(f"{peer.address} answers, but not with KServe v2 over HTTP")
    if isinstance(error, OSError):
        return _unavailable(error.strerror or str(error), peer)
    return None


def _timeout(message: str, peer: Peer) -> RequestTimeout:
    return RequestTimeout(f"{peer.address} did not answer within {peer.wait_seconds:g} s")


def _unavailable(message: str, peer: Peer) -> ServerUnavailable:
    if "http1.x" in message.lower():
        message = "it speaks HTTP: ask it by HTTP, or give its gRPC port"
    elif "connection refused" in message.lower():
        message = "nobody listens there (connection refused)"
    reason = _one_line(message) or "no reason given"
    return ServerUnavailable(f"the server at {peer.address} is not available: {reason}")


def _cancelled(message: str, peer: Peer) -> RequestCancelled:
    return RequestCancelled("the request was cancelled before its answer")


def _failed(message: str, peer: Peer) -> ServerError:
    return ServerError(f"the server failed: {_one_line(message) or 'no reason given'}")


_WORDS: dict[type[RequestError], Callable[[str, Peer], RequestError]] = {
    RequestTimeout: _timeout,
    ServerUnavailable: _unavailable,
    RequestCancelled: _cancelled,
    ServerError: _failed,
}


def _one_line(message: str) -> str:
    """Return a server's words as one line, without the request's id that Triton puts first."""
    return " ".join(_REQUEST_ID.sub("", message, count=1).split())
