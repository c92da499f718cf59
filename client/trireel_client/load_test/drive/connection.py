# SPDX-License-Identifier: Apache-2.0
"""The server's address, protocol and TLS, and the requests over them."""

from collections.abc import Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any

from trireel_client._async_client import AsyncTrireelClient
from trireel_client._client import TrireelClient
from trireel_client._config import DEFAULT_CONNECT_SECONDS, Address, Protocol, Retry, Timeout
from trireel_client._transports.tls import Tls, grpc_arguments, http_arguments
from trireel_client._transports.wire import grpc_channel_arguments
from trireel_client.load_test.drive.requester import GrpcRequester, HttpRequester, Requester
from trireel_client.load_test.plan import Plan

NO_RETRIES = Retry(attempts=1)


@dataclass(frozen=True)
class Connection:
    """How to reach the server."""

    address: Address
    """Address of the protocol's port."""
    protocol: Protocol
    """Protocol of the requests, `grpc` or `http`."""
    tls: Tls | None = None
    """TLS settings; None uses no TLS."""

    def requester(self, plan: Plan) -> Requester:
        """Return the plan's requester; call this inside the event loop that will use it."""
        connect_seconds = min(DEFAULT_CONNECT_SECONDS, plan.timeout_seconds)
        timeout = Timeout(connect_seconds, plan.timeout_seconds)
        url = str(self.address)
        if self.protocol == "grpc":
            client = AsyncTrireelClient(url, timeout=timeout, retries=NO_RETRIES, tls=self.tls)
            return GrpcRequester(client, plan.mode, plan.options)

        def make_client() -> TrireelClient:
            return TrireelClient(
                url, protocol="http", timeout=timeout, retries=NO_RETRIES, tls=self.tls
            )

        return HttpRequester(make_client, plan.mode, plan.options)

    def model_configs(self, models: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return models' configurations by name, without those that are not reported. Blocks."""
        configs: dict[str, dict[str, Any]] = {}
        # The libraries raise errors of many kinds, and a report without configurations is still
        # a report.
        with suppress(Exception), closing(self._triton_client()) as client:
            for model in models:
                configs[model] = self._model_config(client, model)
        return configs

    def _model_config(self, client: Any, model: str) -> dict[str, Any]:
        if self.protocol == "http":
            return dict(client.get_model_config(model))
        answer = client.get_model_config(
            model, as_json=True, client_timeout=DEFAULT_CONNECT_SECONDS
        )
        return dict(answer.get("config", {}))

    def _triton_client(self) -> Any:
        if self.protocol == "grpc":
            import tritonclient.grpc

            return tritonclient.grpc.InferenceServerClient(
                str(self.address),
                channel_args=grpc_channel_arguments(
                    self.address, DEFAULT_CONNECT_SECONDS, self.tls
                ),
                **grpc_arguments(self.tls),
            )
        import tritonclient.http

        return tritonclient.http.InferenceServerClient(
            str(self.address),
            connection_timeout=DEFAULT_CONNECT_SECONDS,
            network_timeout=DEFAULT_CONNECT_SECONDS,
            **http_arguments(self.tls, self.address),
        )
