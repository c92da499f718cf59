# SPDX-License-Identifier: Apache-2.0
"""Requests by HTTP with binary tensors, blocking."""

from collections.abc import Generator, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from trireel_client._calls import AskParameters, AskReady, AskServerInfo, Infer, ServerCall
from trireel_client._config import Address, Timeout
from trireel_client._errors import UnexpectedAnswer, Unsupported
from trireel_client._options import Tensors
from trireel_client._servers import ServerInfo
from trireel_client._transports.grpc import wait_seconds
from trireel_client._transports.handshake import HTTP_ALPN, Handshake
from trireel_client._transports.status import RETRY_HEADER, Peer, translated
from trireel_client._transports.tls import Tls, http_arguments
from trireel_client._transports.wire import call_headers, http_tensors, infer_arguments


class HttpTransport:
    """HTTP connections; they belong to the thread that made them, as gevent's sockets do."""

    streams = False

    def __init__(
        self, address: Address, timeout: Timeout, headers: Mapping[str, str], tls: Tls | None
    ) -> None:
        import tritonclient.http as protocol

        self._protocol = protocol
        self._address = address
        self._timeout = timeout
        self._headers = dict(headers)
        self._handshake = Handshake(address, tls, timeout.connect_seconds, HTTP_ALPN)
        encryption = http_arguments(tls, address)
        # The timeout is a property of a connection, so there is a connection for each timeout.
        client_class = _hint_keeping(protocol.InferenceServerClient)
        self._clients = {
            seconds: client_class(
                str(address),
                connection_timeout=timeout.connect_seconds,
                network_timeout=seconds,
                **encryption,
            )
            for seconds in {timeout.connect_seconds, timeout.request_seconds}
        }

    def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""
        seconds = wait_seconds(call, self._timeout)
        client = self._clients[seconds]
        client.retry_after = None
        # A copy for each call, because the client adds headers to it.
        headers = call_headers(self._headers, call)
        connect_seconds = self._timeout.connect_seconds
        peer = Peer(self._address, seconds, lambda: client.retry_after, connect_seconds)
        with self._handshake.explained(), translated(peer), _understood(self._address):
            match call:
                case Infer():
                    arguments = infer_arguments(self._protocol, call)
                    return http_tensors(client.infer(**arguments, headers=headers))
                case AskServerInfo():
                    return _server_info(client.get_server_metadata(headers=headers))
                case AskParameters(model):
                    return _parameters(client.get_model_config(model, headers=headers))
                case AskReady(None):
                    return bool(client.is_server_ready(headers=headers))
                case AskReady(model):
                    return bool(client.is_model_ready(model, headers=headers))

    def one_stream(self) -> AbstractContextManager[None]:
        """Reject no caller: there are no streams."""
        return nullcontext()

    def stream(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        """Raise Unsupported: one HTTP request has one answer."""
        raise Unsupported("streaming needs gRPC")

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()


def _hint_keeping(client_class: Any) -> Any:
    """Return a subclass of an HTTP client that keeps the `Retry-After` of its last answer."""

    class Client(client_class):  # type: ignore[misc]
        retry_after: str | None = None

        def _get(self, *arguments: Any, **named: Any) -> Any:
            return self._kept(super()._get(*arguments, **named))

        def _post(self, *arguments: Any, **named: Any) -> Any:
            return self._kept(super()._post(*arguments, **named))

        def _kept(self, response: Any) -> Any:
            header = response.get(RETRY_HEADER)  # a list if it comes more than once
            self.retry_after = header[0] if isinstance(header, list) else header
            return response

    return Client


@contextmanager
def _understood(address: Address) -> Iterator[None]:
    """Raise UnexpectedAnswer for JSON that lacks a field, or is not an object."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError) as error:
        raise UnexpectedAnswer(f"{address} answers, but not as KServe v2 asks for") from error


def _server_info(metadata: Mapping[str, Any]) -> ServerInfo:
    return ServerInfo(metadata["name"], metadata["version"], tuple(metadata.get("extensions", ())))


def _parameters(config: Mapping[str, Any]) -> dict[str, str]:
    parameters = config.get("parameters", {})
    return {name: value.get("string_value", "") for name, value in parameters.items()}
