# SPDX-License-Identifier: Apache-2.0
"""Requests by gRPC, blocking."""

import queue
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trireel_client._calls import AskParameters, AskReady, AskServerInfo, Infer, ServerCall
from trireel_client._config import Address, Timeout
from trireel_client._errors import ClientBusy, RequestTimeout
from trireel_client._options import Tensors
from trireel_client._servers import ServerInfo
from trireel_client._trace import trace_headers
from trireel_client._transports.handshake import GRPC_ALPN, Handshake
from trireel_client._transports.inbox import Inbox
from trireel_client._transports.proxy import proxy_notice
from trireel_client._transports.status import Peer, translated
from trireel_client._transports.tls import Tls, grpc_arguments
from trireel_client._transports.wire import (
    call_headers,
    grpc_channel_arguments,
    grpc_tensors,
    infer_arguments,
    lower_case,
)

# Without this header, an error inside a stream has a text and no code.
STREAM_HEADERS = {"triton_grpc_error": "true"}
# A stream's own deadline comes first; this is for a server that closes a stream silently.
STREAM_GRACE_SECONDS = 5.0
BROKEN_STREAM = "stream is no longer in valid state"


def wait_seconds(call: ServerCall, timeout: Timeout) -> float:
    """Return how long the answer to a call may take, in seconds."""
    patient = isinstance(call, Infer) and not call.brief
    return timeout.request_seconds if patient else timeout.connect_seconds


class GrpcTransport:
    """A gRPC connection; calls may come from several threads."""

    streams = True

    def __init__(
        self, address: Address, timeout: Timeout, headers: Mapping[str, str], tls: Tls | None
    ) -> None:
        import tritonclient.grpc as protocol

        self._protocol = protocol
        self._address = address
        self._timeout = timeout
        self._headers = lower_case(headers)
        self._streaming = threading.Lock()
        self._inbox = Inbox()
        self._handshake = Handshake(address, tls, timeout.connect_seconds, GRPC_ALPN)
        self._proxy = proxy_notice(address)  # gRPC reads the environment now, and not again
        self._client = protocol.InferenceServerClient(
            str(address),
            channel_args=grpc_channel_arguments(address, timeout.connect_seconds, tls),
            **grpc_arguments(tls),
        )

    def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""
        seconds = wait_seconds(call, self._timeout)
        limits = {"client_timeout": seconds, "headers": call_headers(self._headers, call)}
        with (
            self._handshake.explained(),
            translated(Peer(self._address, seconds, proxy=self._proxy)),
        ):
            match call:
                case Infer():
                    arguments = infer_arguments(self._protocol, call)
                    return grpc_tensors(self._client.infer(**arguments, **limits))
                case AskServerInfo():
                    return grpc_server_info(self._client.get_server_metadata(**limits))
                case AskParameters(model):
                    return grpc_parameters(self._client.get_model_config(model, **limits))
                case AskReady(None):
                    return bool(self._client.is_server_ready(**limits))
                case AskReady(model):
                    return bool(self._client.is_model_ready(model, **limits))

    @contextmanager
    def one_stream(self) -> Iterator[None]:
        """Reject other callers' streams, also while a broken one waits to be opened again.

        Raises:
            ClientBusy: if another caller has a stream.
        """
        if not self._streaming.acquire(blocking=False):
            raise ClientBusy(
                "this client has a stream open: close that, or open a client for each stream"
            )
        try:
            yield
        finally:
            self._streaming.release()

    def stream(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        """Yield a model's answers; closed early, it cancels the request on the server."""
        self._inbox = inbox = Inbox()
        is_complete = False
        try:
            peer = Peer(self._address, self._timeout.request_seconds, proxy=self._proxy)
            with self._handshake.explained(), translated(peer):
                self._client.start_stream(
                    inbox.put,
                    stream_timeout=within_seconds,
                    headers={**self._headers, **STREAM_HEADERS, **trace_headers()},
                )
                self._send(call)
                yield from self._received(inbox, within_seconds)
            is_complete = True
        finally:
            self._end_stream(cancel=not is_complete)

    def close(self) -> None:
        """Close the connection; a stream still open is cancelled."""
        self._end_stream(cancel=True)
        self._client.close()

    def _end_stream(self, *, cancel: bool) -> None:
        """End the stream; one that is complete is not cancelled, which Triton logs as an error."""
        self._inbox.close()  # first: the client waits for the thread that fills it
        stream = self._client._stream
        try:
            self._client.stop_stream(cancel_requests=cancel)
        finally:  # also if Ctrl-C comes while it waits for the stream's thread
            self._client._stream = None
            if cancel and stream is not None:
                # Otherwise tritonclient's thread that sends requests would wait forever.
                stream._request_queue.put(None)

    def _send(self, call: Infer) -> None:
        from tritonclient.utils import InferenceServerException

        try:
            self._client.async_stream_infer(
                **infer_arguments(self._protocol, call), enable_empty_final_response=True
            )
        except InferenceServerException as error:
            # The stream broke before its request: the reason comes as an answer.
            if BROKEN_STREAM not in (error.message() or ""):
                raise

    def _received(self, inbox: Inbox, within_seconds: float) -> Generator[Tensors, None, None]:
        deadline = time.monotonic() + within_seconds + STREAM_GRACE_SECONDS
        while True:
            try:
                result, error = inbox.get(deadline - time.monotonic())
            except queue.Empty as empty:
                raise RequestTimeout(
                    f"{self._address} closed the stream without its last answer"
                ) from empty
            if error is not None:
                raise error
            response = result.get_response()
            if response.outputs:
                yield grpc_tensors(result)
            if is_final(response):
                return


def is_final(response: Any) -> bool:
    """Return whether a stream's response is the last of its request."""
    parameters = response.parameters
    return "triton_final_response" in parameters and bool(
        parameters["triton_final_response"].bool_param
    )


def grpc_server_info(metadata: Any) -> ServerInfo:
    """Return the name and version in a server's metadata."""
    return ServerInfo(metadata.name, metadata.version, tuple(metadata.extensions))


def grpc_parameters(response: Any) -> dict[str, str]:
    """Return the parameters of a model's configuration."""
    return {name: value.string_value for name, value in response.config.parameters.items()}
