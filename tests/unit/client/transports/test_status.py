# SPDX-License-Identifier: Apache-2.0
"""Every status and every exception of the transports has one of our errors."""

import asyncio
import errno
import inspect
import socket

import grpc
import pytest
from gevent import Timeout as GeventTimeout
from geventhttpclient.response import (
    HTTPConnectionClosed,
    HTTPParseError,
    HTTPProtocolViolationError,
)
from tritonclient.utils import InferenceServerException

import trireel_client
from trireel_client import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    RequestCancelled,
    RequestTimeout,
    SequenceLost,
    ServerError,
    ServerFull,
    ServerUnavailable,
    TrireelError,
    UnexpectedAnswer,
    Unsupported,
    _errors,
)
from trireel_client._config import Address
from trireel_client._transports.status import Peer, translate, translated

PEER = Peer(Address("127.0.0.1", 8001), 5.0)

GRPC = {
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
    "RESOURCE_EXHAUSTED": InvalidRequest,
    "UNAUTHENTICATED": NotAllowed,
    "UNAVAILABLE": ServerUnavailable,
    "UNIMPLEMENTED": Unsupported,
    "UNKNOWN": ServerError,
}
HTTP = {
    "400": InvalidRequest,
    "401": NotAllowed,
    "403": NotAllowed,
    "404": NotFound,
    "408": RequestTimeout,
    "413": InvalidRequest,
    "429": ServerUnavailable,
    "499": RequestCancelled,
    "500": ServerError,
    "501": Unsupported,
    "502": ServerUnavailable,
    "503": ServerUnavailable,
    "504": ServerUnavailable,
    "599": ServerError,
}
RAW = [
    (ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"), ServerUnavailable),
    (ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"), ServerUnavailable),
    (BrokenPipeError(errno.EPIPE, "Broken pipe"), ServerUnavailable),
    (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), ServerUnavailable),
    (OSError(errno.EHOSTUNREACH, "No route to host"), ServerUnavailable),
    (TimeoutError("timed out"), RequestTimeout),
    (GeventTimeout(1.0), RequestTimeout),
    (HTTPConnectionClosed("connection closed."), ServerUnavailable),
    (HTTPParseError("Expected HTTP/"), UnexpectedAnswer),
    (HTTPParseError("Incomplete response."), ServerUnavailable),
    (HTTPParseError("Invalid EOF state", 14), ServerUnavailable),
    (HTTPProtocolViolationError("A new response began"), UnexpectedAnswer),
]


class Rpc(grpc.RpcError):
    """A raw error of grpcio, as its asynchronous streams raise it."""

    def __init__(self, code: grpc.StatusCode, **metadata: str) -> None:
        super().__init__()
        self._code = code
        self._metadata = [(name.replace("_", "-"), value) for name, value in metadata.items()]

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return "the server's words"

    def trailing_metadata(self) -> list[tuple[str, str]]:
        return self._metadata


def test_no_grpc_code_is_forgotten() -> None:
    assert {code.name for code in grpc.StatusCode} == {*GRPC, "OK"}


@pytest.mark.parametrize(("code", "error"), GRPC.items())
def test_grpc_codes(code: str, error: type[TrireelError]) -> None:
    raised = InferenceServerException("the server's words", status=f"StatusCode.{code}")
    assert type(translate(raised, PEER)) is error
    assert type(translate(Rpc(grpc.StatusCode[code]), PEER)) is error


@pytest.mark.parametrize(("status", "error"), HTTP.items())
def test_http_statuses(status: str, error: type[TrireelError]) -> None:
    raised = InferenceServerException("the server's words", status=status)
    assert type(translate(raised, PEER)) is error


@pytest.mark.parametrize(("raised", "error"), RAW, ids=lambda value: type(value).__name__)
def test_raw_errors(raised: BaseException, error: type[TrireelError]) -> None:
    try:
        assert type(translate(raised, PEER)) is error
    finally:
        getattr(raised, "close", lambda: None)()


@pytest.mark.parametrize(
    ("message", "status", "error"),
    [
        (
            "in ensemble 'chunk_encoder', [request id: <id_unknown>] Server is stopping, scheduler"
            " for model has stopped accepting new inference requests",
            "INTERNAL",
            ServerUnavailable,
        ),
        (
            "Request for unknown model: 'video_chunk' has no available versions",
            "NOT_FOUND",
            ServerUnavailable,
        ),
        ("Request for unknown model: 'video_chunk' is not found", "NOT_FOUND", NotFound),
        ("Stub process 'temporal_decoder_0_0' is not healthy.", "INTERNAL", ServerUnavailable),
        ("Stub process 'temporal_decoder_0_0' is not healthy.", "500", ServerUnavailable),
        ("Received RST_STREAM with error code 2", "INTERNAL", ServerUnavailable),
        ("Payload Too Large", "UNKNOWN", InvalidRequest),
        ("Server is stopping.mp4 is not in the media folder", "NOT_FOUND", NotFound),
        (
            "inference request for sequence 7 to model 'temporal_decoder' must specify the START"
            " flag on the first request of the sequence",
            "INVALID_ARGUMENT",
            SequenceLost,
        ),
        (
            "in ensemble 'video_chunk', sequence 'x' is not open: send START with a video's first"
            " chunk, and again after 330 s without a request",
            "400",
            SequenceLost,
        ),
    ],
)
def test_words_that_say_more_than_their_status(
    message: str, status: str, error: type[TrireelError]
) -> None:
    raised = InferenceServerException(message, status=status)
    assert type(translate(raised, PEER)) is error


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("7", 7.0), (None, None), ("Fri, 21 Nov 2025 15:00:00 GMT", None), ("-1", None)],
)
def test_hints_of_when_to_come_back(retry_after: str | None, seconds: float | None) -> None:
    raised = InferenceServerException("full", status="503")
    peer = Peer(PEER.address, PEER.wait_seconds, lambda: retry_after)
    error = translate(raised, peer)
    assert isinstance(error, ServerUnavailable)
    assert error.retry_after_seconds == seconds


def test_a_proxys_timeout_is_no_lack_of_a_connection() -> None:
    peer = Peer(PEER.address, 5.0, connect_seconds=1.0)
    error = translate(InferenceServerException("too slow", status="408"), peer)
    assert str(error) == "127.0.0.1:8001 did not answer within 5 s"


FULL = (
    "the server is full: 16 whole videos are in flight here and 64 are waiting, the most allowed:"
    " ask again in about 12 s, or ask another server"
)


@pytest.mark.parametrize("status", ["StatusCode.UNAVAILABLE", "503"])
@pytest.mark.parametrize(
    ("message", "wanted", "seconds"),
    [
        (
            "[request id: <id_unknown>] Exceeds maximum queue size",
            "its queue is full; retry in a while, or on another server",
            None,
        ),
        (
            "in ensemble 'video_chunk', [request id: a] Exceeds maximum queue size",
            "its queue is full; retry in a while, or on another server",
            None,
        ),
        (FULL, FULL.partition(": ")[2], 12.0),
        (f"in ensemble 'frame_chunk', {FULL}", FULL.partition(": ")[2], 12.0),
    ],
)
def test_a_full_server(status: str, message: str, wanted: str, seconds: float | None) -> None:
    error = translate(InferenceServerException(message, status=status), PEER)
    assert type(error) is ServerFull
    assert str(error) == f"the server at 127.0.0.1:8001 is full: {wanted}"
    assert error.retry_after_seconds == seconds


def test_words_alone_make_no_server_full() -> None:
    error = translate(InferenceServerException(FULL, status="StatusCode.NOT_FOUND"), PEER)
    assert type(error) is NotFound


def test_a_header_says_more_than_words() -> None:
    peer = Peer(PEER.address, PEER.wait_seconds, lambda: "3")
    error = translate(InferenceServerException(FULL, status="503"), peer)
    assert isinstance(error, ServerFull)
    assert error.retry_after_seconds == 3.0


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"retry_after": "7"}, 7.0),
        ({"grpc_retry_pushback_ms": "1500"}, 1.5),
        ({"grpc_retry_pushback_ms": "-1"}, None),
        ({"retry_after": "2", "grpc_retry_pushback_ms": "1500"}, 2.0),
        ({}, None),
    ],
)
def test_hints_in_grpcs_metadata(metadata: dict[str, str], seconds: float | None) -> None:
    error = translate(Rpc(grpc.StatusCode.UNAVAILABLE, **metadata), PEER)
    assert isinstance(error, ServerUnavailable)
    assert error.retry_after_seconds == seconds


def test_no_status_at_all_is_the_servers_fault() -> None:
    error = translate(InferenceServerException("went wrong"), PEER)
    assert type(error) is ServerError
    assert str(error) == "the server failed: went wrong"


@pytest.mark.parametrize(
    "other", [KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit(), KeyError("x")]
)
def test_what_is_not_the_transports_passes(other: BaseException) -> None:
    assert translate(other, PEER) is None
    with pytest.raises(type(other)), translated(PEER):
        raise other


def test_cause_is_kept() -> None:
    cause = ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")
    with (
        pytest.raises(ServerUnavailable, match="no server listens there") as raised,
        translated(PEER),
    ):
        raise cause
    assert raised.value.__cause__ is cause


@pytest.mark.parametrize(
    ("message", "status", "wanted"),
    [
        ("TOP_K is 0:\n give 1 or more", "400", "TOP_K is 0: give 1 or more"),
        ("[request id: a-b c] TOP_K is 0 ", "StatusCode.INVALID_ARGUMENT", "TOP_K is 0"),
        ("Deadline Exceeded", "StatusCode.DEADLINE_EXCEEDED", "did not answer within 5 s"),
        (
            "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:8001:"
            " Failed to connect to remote host: connect: Connection refused (111)",
            "StatusCode.UNAVAILABLE",
            "the server at 127.0.0.1:8001 is not available: no server listens there",
        ),
        (
            "Failed parsing HTTP/2; Trying to connect an http1.x server",
            "StatusCode.UNAVAILABLE",
            "127.0.0.1:8001 answers by HTTP, not by gRPC: give the gRPC port",
        ),
        (
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:8000:"
            " Failed parsing HTTP/2 (Expected SETTINGS frame as the first frame, got type 79)",
            "StatusCode.UNAVAILABLE",
            "answers by HTTP, not by gRPC: give the gRPC port",
        ),
        (
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:127.0.0.1:8000:"
            " Socket closed",
            "StatusCode.UNAVAILABLE",
            "it closes the connection: is this the gRPC port, by default 8001?",
        ),
        (
            "an exception occurred in the client while decoding the response: ...\n<html>",
            "502",
            "HTTP status 502 from something that is not the server",
        ),
    ],
)
def test_messages(message: str, status: str, wanted: str) -> None:
    error = str(translate(InferenceServerException(message, status=status), PEER))
    assert wanted in error
    assert "request id" not in error
    assert "\n" not in error


def test_error_tree_is_drawn_exported_and_explained() -> None:
    errors = {
        name: kind
        for name, kind in vars(_errors).items()
        if inspect.isclass(kind) and issubclass(kind, TrireelError)
    }
    for name, kind in errors.items():
        assert f" {name}" in f" {_errors.__doc__}".replace("\n", " ")
        assert name in trireel_client.__all__
        assert kind.__doc__


def test_public_names_are_sorted_and_there() -> None:
    assert trireel_client.__all__ == sorted(trireel_client.__all__)
    assert all(hasattr(trireel_client, name) for name in trireel_client.__all__)
