# SPDX-License-Identifier: Apache-2.0
"""Parts that the transports share: arrays to inputs, results to arrays, retries."""

import re
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import Infer, ServerCall
from trireel_client._config import Address, Retry
from trireel_client._errors import InvalidRequest, ServerFull, ServerUnavailable, UnexpectedAnswer
from trireel_client._options import Tensors
from trireel_client._trace import trace_headers
from trireel_client._transports.proxy import NO_PROXY
from trireel_client._transports.tls import Tls

MAX_MESSAGE_BYTES = 2**31 - 1
SEQUENCE_HEADER = "trireel-sequence"
# Names that gRPC accepts, fewer than HTTP does; a name that ends in "-bin" means bytes there.
_HEADER_NAME = re.compile(r"(?!.*-bin$)[0-9a-z_.-]+", re.IGNORECASE | re.ASCII)
_HEADER_VALUE = re.compile(r"[ -~]*")
HINT_SPREAD = 0.25  # clients with the same hint return within this share of it


class Transport(Protocol):
    """A blocking connection to a server."""

    streams: bool
    """True if it can run models that answer many times."""

    def answer(self, call: ServerCall) -> Any:
        """Make a call and return its answer; raises TrireelError."""

    def one_stream(self) -> AbstractContextManager[None]:
        """Reject other callers' streams in the meantime; raises ClientBusy."""

    def stream(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        """Run a model that answers many times; closing early cancels the request."""

    def close(self) -> None:
        """Close the connections."""


def infer_arguments(protocol: Any, call: Infer) -> dict[str, Any]:
    """Return the arguments of an `infer` of `tritonclient.grpc` or `tritonclient.http`.

    Args:
        protocol: one of these two modules.
    """
    turn = call.turn
    return {
        "model_name": call.model,
        "inputs": [_input(protocol, name, array) for name, array in call.inputs.items()],
        "outputs": [protocol.InferRequestedOutput(name) for name in call.outputs] or None,
        "request_id": call.request_id,
        "sequence_id": turn.sequence_id if turn else 0,
        "sequence_start": turn.start if turn else False,
        "sequence_end": turn.end if turn else False,
    }


def call_headers(headers: Mapping[str, str], call: ServerCall) -> dict[str, str]:
    """Return the headers of one call; a request of a sequence has the sequence in a header.

    A balancer cannot read requests, and must send all of a sequence to one server. The correlation
    id is percent-encoded, because headers are ASCII.
    """
    headers = {**headers, **trace_headers()}
    if not isinstance(call, Infer) or call.turn is None:
        return headers
    sequence = quote(str(call.turn.sequence_id), safe="")
    others = {name: text for name, text in headers.items() if name.lower() != SEQUENCE_HEADER}
    return {**others, SEQUENCE_HEADER: sequence}


def grpc_tensors(result: Any) -> dict[str, NDArray[Any]]:
    """Return the outputs of a gRPC result by name."""
    return _tensors(result, (output.name for output in result.get_response().outputs))


def http_tensors(result: Any) -> dict[str, NDArray[Any]]:
    """Return the outputs of an HTTP result by name."""
    return _tensors(result, (output["name"] for output in result.get_response()["outputs"]))


def grpc_channel_arguments(
    address: Address, connect_seconds: float, tls: Tls | None
) -> list[tuple[str, int | str]]:
    """Return the settings of a gRPC channel."""
    arguments: list[tuple[str, int | str]] = [
        ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
        ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
        # Longest time of one attempt to connect, although the name says otherwise.
        ("grpc.min_reconnect_backoff_ms", round(connect_seconds * 1000)),
        # By default a refused connection is tried again after a second: retries before that
        # would only report the first refusal.
        ("grpc.initial_reconnect_backoff_ms", 100),
    ]
    if address.is_loopback:
        arguments.append(NO_PROXY)
    if tls is not None and tls.server_name is not None:
        arguments.append(("grpc.ssl_target_name_override", tls.server_name))
    return arguments


def retry_arguments(retry: Retry, *, repeatable: bool, within_seconds: float) -> dict[str, Any]:
    """Return the arguments of `tenacity.Retrying` and of its asynchronous twin.

    Args:
        retry: number of attempts and the waits between them.
        repeatable: True if sending a request twice has the same effect as sending it once.
        within_seconds: latest time of an attempt after the first one.
    """
    import tenacity

    soon = tenacity.wait_random_exponential(retry.first_wait_seconds, retry.longest_wait_seconds)
    full = tenacity.wait_random_exponential(
        retry.first_full_wait_seconds, retry.longest_hint_seconds
    )

    def wait_seconds(state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        hint: float | None = getattr(error, "retry_after_seconds", None)
        if hint is None:
            return full(state) if isinstance(error, ServerFull) else soon(state)
        # Not sooner than the hint, and not all clients at once.
        hint = min(hint, retry.longest_hint_seconds)
        return hint + tenacity.wait_random(0, hint * HINT_SPREAD)(state) + soon(state)

    attempts = tenacity.stop_after_attempt(retry.attempts if repeatable else 1)
    return {
        "stop": attempts | tenacity.stop_before_delay(within_seconds),
        "wait": wait_seconds,
        "retry": tenacity.retry_if_exception_type(ServerUnavailable),
        "reraise": True,
    }


def checked_headers(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers that both protocols can carry.

    Raises:
        InvalidRequest: if one cannot be sent. The message holds its name only: the value may be
            a secret.
    """
    for name, value in (headers or {}).items():
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise InvalidRequest(
                f"headers has the name {name!r}: give letters, digits, '-', '_' and '.', and no"
                " '-bin' at its end"
            )
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise InvalidRequest(
                f"the header {name!r} cannot be sent: give printable ASCII in one line"
            )
    return dict(headers or {})


def lower_case(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return headers with names in lower case, as gRPC requires."""
    return {name.lower(): value for name, value in (headers or {}).items()}


def _input(protocol: Any, name: str, array: NDArray[Any]) -> Any:
    from tritonclient.utils import np_to_triton_dtype

    tensor = protocol.InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
    return tensor.set_data_from_numpy(array)


def _tensors(result: Any, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    return {name: _tensor(result.as_numpy, name) for name in names}


def _tensor(as_numpy: Callable[[str], NDArray[Any]], name: str) -> NDArray[Any]:
    try:
        return np.asarray(as_numpy(name))
    except Exception as error:  # bytes that do not fit shape and type raise many kinds of errors
        raise UnexpectedAnswer(f"the answer's {name} cannot be read: {error}") from error
