# SPDX-License-Identifier: Apache-2.0
"""Requests by gRPC from an event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from trireel_client._calls import AskParameters, AskReady, AskServerInfo, Infer, ServerCall
from trireel_client._config import Address, Timeout
from trireel_client._errors import RequestCancelled
from trireel_client._options import Tensors
from trireel_client._trace import trace_headers
from trireel_client._transports.grpc import (
    STREAM_HEADERS,
    grpc_parameters,
    grpc_server_info,
    wait_seconds,
)
from trireel_client._transports.handshake import GRPC_ALPN, Handshake
from trireel_client._transports.proxy import proxy_notice
from trireel_client._transports.status import CANCELLED, Peer, translated
from trireel_client._transports.tls import Tls, grpc_arguments
from trireel_client._transports.wire import (
    call_headers,
    grpc_channel_arguments,
    grpc_tensors,
    infer_arguments,
    lower_case,
)


class AioGrpcTransport:
    """A gRPC connection of one event loop; any number of calls and streams at once."""

    def __init__(
        self, address: Address, timeout: Timeout, headers: Mapping[str, str], tls: Tls | None
    ) -> None:
        import tritonclient.grpc.aio as protocol

        self._protocol = protocol
        self._address = address
        self._timeout = timeout
        self._headers = lower_case(headers)
        self._handshake = Handshake(address, tls, timeout.connect_seconds, GRPC_ALPN)
        self._proxy = proxy_notice(address)  # gRPC reads the environment now, and not again
        self._client = protocol.InferenceServerClient(
            str(address),
            channel_args=grpc_channel_arguments(address, timeout.connect_seconds, tls),
            **grpc_arguments(tls),
        )

    async def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""
        seconds = wait_seconds(call, self._timeout)
        limits = {"client_timeout": seconds, "headers": call_headers(self._headers, call)}
        async with self._handshake.explained_async():
            with translated(Peer(self._address, seconds, proxy=self._proxy)), _closing_reported():
                return await self._answer(call, limits)

    async def stream(self, call: Infer, within_seconds: float) -> AsyncGenerator[Tensors, None]:
        """Yield a model's answers; closed early, it cancels the request on the server."""
        # The one request, then the end of requests: the server closes after its last answer.
        requests = _once(infer_arguments(self._protocol, call))
        peer = Peer(self._address, self._timeout.request_seconds, proxy=self._proxy)
        async with self._handshake.explained_async():
            with translated(peer), _closing_reported():
                responses = self._client.stream_infer(
                    requests,
                    stream_timeout=within_seconds,
                    headers={**self._headers, **STREAM_HEADERS, **trace_headers()},
                )
                try:
                    async for result, error in responses:
                        if error is not None:
                            raise error
                        yield grpc_tensors(result)
                finally:
                    responses.cancel()

    async def close(self) -> None:
        """Close the connection; requests in flight are cancelled."""
        await self._client.close()

    async def _answer(self, call: ServerCall, limits: Mapping[str, Any]) -> Any:
        match call:
            case Infer():
                arguments = infer_arguments(self._protocol, call)
                return grpc_tensors(await self._client.infer(**arguments, **limits))
            case AskServerInfo():
                return grpc_server_info(await self._client.get_server_metadata(**limits))
            case AskParameters(model):
                return grpc_parameters(await self._client.get_model_config(model, **limits))
            case AskReady(None):
                return bool(await self._client.is_server_ready(**limits))
            case AskReady(model):
                return bool(await self._client.is_model_ready(model, **limits))


@contextmanager
def _closing_reported() -> Iterator[None]:
    """Raise RequestCancelled if the request is cancelled, and not its task.

    grpcio raises the same error for both.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise RequestCancelled(CANCELLED) from error


async def _once(request: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield request
