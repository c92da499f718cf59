# SPDX-License-Identifier: Apache-2.0
"""The seam to Triton: tensors to arguments, answers to responses, errors to statuses.

Only this module and the `model.py` files import `triton_python_backend_utils`.
"""

import json
import os
import traceback
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping, Sequence
from contextlib import aclosing, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import triton_python_backend_utils as pb_utils
from numpy.typing import NDArray

from trireel_backend.errors import (
    Cancelled,
    InvalidInput,
    RequestError,
    StageFailed,
)
from trireel_backend.metrics.family import Family, Metrics
from trireel_backend.triton.error_messages import error_of_message, message_of_error
from trireel_backend.triton.exported_metrics import ExportedMetrics
from trireel_backend.triton.sending import send_only, send_to_model
from trireel_backend.wire.request import INNER, INNER_WORD_VARIABLE, Request
from trireel_backend.wire.tensors import Tensors
from trireel_backend.wire.turn import Turn

# Without our launcher the word is empty, and the server trusts any client that sends the parameter.
_INNER_WORD = os.environ.get(INNER_WORD_VARIABLE, "")

# Trace of the request that the current task answers; passed on with its calls of other models.
_trace: ContextVar[Any] = ContextVar("trace", default=None)

FINAL = pb_utils.TRITONSERVER_RESPONSE_COMPLETE_FINAL
Later = Coroutine[Any, Any, Tensors]
"""A coroutine that computes a request's answer after `execute` has returned."""
Answers = Callable[[Request], AsyncGenerator[Tensors, None]]


def model_folder(args: Mapping[str, str]) -> Path:
    """Return the version folder of a model from the arguments of `initialize`."""
    return Path(args["model_repository"]) / args["model_version"]


def export_metrics(args: Mapping[str, str], families: Iterable[Family]) -> Metrics:
    """Register metric families with Triton's /metrics.

    Args:
        args: arguments of `initialize`.
    """
    labels = {"model": args["model_name"], "model_instance": args["model_instance_name"]}
    return ExportedMetrics(pb_utils, labels, families)


def answer_each(requests: Sequence[Any], answer: Callable[[Request], Tensors]) -> list[Any]:
    """Answer every request separately: an error in one request does not affect the others."""
    return [_answer_one(request, answer) for request in requests]


def answer_each_in_time(
    requests: Sequence[Any],
    answer: Callable[[Request], Tensors | Later],
    begin: Callable[[Coroutine[Any, Any, None]], Any],
) -> list[Any]:
    """Answer every request separately, now or later.

    Args:
        answer: returns the answer, or a coroutine that returns it.
        begin: starts a coroutine that runs after `execute` returns.

    Returns:
        A response for each request; None if the response is sent later.
    """
    answers = [_answer_one(request, answer) for request in requests]
    for request, later in zip(requests, answers, strict=True):
        if isinstance(later, Coroutine):
            begin(_send_when_ready(request, later))
    return [None if isinstance(response, Coroutine) else response for response in answers]


def answer_together(
    requests: Sequence[Any],
    prepare: Callable[[Request], Any],
    run: Callable[[list[Any]], Iterable[Tensors]],
) -> list[Any]:
    """Answer all valid requests with one joint call; an invalid request is rejected first.

    Args:
        prepare: returns a request's part of the batch.
        run: returns an answer for each part, in order.
    """
    prepared = [_prepare_one(request, prepare) for request in requests]
    parts = [part for part in prepared if not isinstance(part, _Failed)]
    try:
        answers = iter([_response(answer) for answer in run(parts)] if parts else [])
    except Exception as error:
        return [
            part.response if isinstance(part, _Failed) else _error_response(request, error)
            for request, part in zip(requests, prepared, strict=True)
        ]
    return [part.response if isinstance(part, _Failed) else next(answers) for part in prepared]


async def answer_once(request: Any, answers: Answers) -> Any:
    """Return the last of an asynchronous iterator's answers as the only response.

    Its calls of other models carry the request's trace, so `execute` has to wait for it: when
    `execute` returns, Triton releases the trace, and a later call with it crashes Triton 2.51 with
    a segmentation fault.
    """
    _trace.set(request.trace())
    return await _last_response(request, answers)


async def answer_later(request: Any, answers: Answers) -> None:
    """Send the last of an asynchronous iterator's answers; `execute` returns None meanwhile."""
    send_only(request.get_response_sender(), await _last_response(request, answers), FINAL)


async def answer_stream(request: Any, answers: Answers) -> None:
    """Send each answer of an asynchronous iterator as it arrives, until the client goes away.

    Another model of this server gets the last answer alone.
    """
    if _is_from_model(request):
        _send_to_model(request, await _last_response(request, answers))
        return
    sender = request.get_response_sender()
    try:
        async with aclosing(answers(_request(request))) as iterator:
            async for answer in iterator:
                if sender.is_cancelled():
                    break
                sender.send(_response(answer))
        sender.send(flags=FINAL)
    except Exception as error:
        sender.send(_error_response(request, error), flags=FINAL)


async def call_model(
    model_name: str,
    inputs: Tensors,
    outputs: Sequence[str],
    *,
    turn: Turn | None = None,
    parameters: Mapping[str, bool] = MappingProxyType({}),
    is_decoupled: bool = False,
) -> dict[str, NDArray[Any]]:
    """Call another model and return its outputs by name, without those that the model omits.

    Args:
        turn: position of the request in its sequence, for a model that keeps state.
        parameters: parameters of the request, beside its inputs.
        is_decoupled: True for a model that may answer in several responses; it sends one.

    Raises:
        RequestError: if the model returns an error; it has the model's status and message.
    """
    sequence = (
        {"correlation_id": turn.correlation_id, "flags": _flags(turn)} if turn is not None else {}
    )
    request = pb_utils.InferenceRequest(
        model_name=model_name,
        requested_output_names=list(outputs),
        inputs=[pb_utils.Tensor(name, array) for name, array in inputs.items()],
        parameters={INNER: _INNER_WORD, **parameters},
        **sequence,
        **({"trace": trace} if (trace := _trace.get()) is not None else {}),
    )
    if is_decoupled:  # the iteration does not wait: the only response is there
        response, *_ = await request.async_exec(decoupled=True)
    else:
        response = await request.async_exec()
    if response.has_error():
        raise error_of_message(response.error().message())
    return {tensor.name(): tensor.as_numpy() for tensor in response.output_tensors()}


def _flags(turn: Turn) -> int:
    flags = pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START if turn.start else 0
    return flags | (pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END if turn.end else 0)


def _request(request: Any) -> Request:
    def array(name: str) -> NDArray[Any] | None:
        tensor = pb_utils.get_input_tensor_by_name(request, name)
        return None if tensor is None else tensor.as_numpy()

    flags = request.flags()
    try:
        correlation_id, parameters = request.correlation_id(), _parameters(request)
    except ValueError as error:  # Triton passes on any bytes
        raise InvalidInput(
            f"the sequence id or a parameter of the request is not UTF-8 text: {error}"
        ) from error
    return Request(
        array=array,
        requested_outputs=frozenset(request.requested_output_names()),
        correlation_id=correlation_id,
        starts=bool(flags & pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_START),
        ends=bool(flags & pb_utils.TRITONSERVER_REQUEST_FLAG_SEQUENCE_END),
        is_cancelled=request.is_cancelled,
        parameters=parameters,
        is_inner=parameters.get(INNER) == _INNER_WORD,
    )


def _parameters(request: Any) -> dict[str, Any]:
    return json.loads(request.parameters() or "{}")  # type: ignore[no-any-return]


def _is_from_model(request: Any) -> bool:
    with suppress(ValueError):  # parameters that are not UTF-8 text hold no word
        return bool(_parameters(request).get(INNER) == _INNER_WORD)
    return False


async def _last_response(request: Any, answers: Answers) -> Any:
    last: Tensors = {}
    try:
        async with aclosing(answers(_request(request))) as iterator:
            async for answer in iterator:
                if request.is_cancelled():
                    raise Cancelled("the client has gone away")
                last = answer
        return _response(last)
    except Exception as error:
        return _error_response(request, error)


async def _send_when_ready(request: Any, answer: Later) -> None:
    try:
        response = _response(await answer)
    except Exception as error:
        response = _error_response(request, error)
    if _is_from_model(request):
        _send_to_model(request, response)
    else:
        send_only(request.get_response_sender(), response, FINAL)


def _send_to_model(request: Any, response: Any) -> None:
    failed = partial(_error_response, request)
    send_to_model(request.get_response_sender(), response, FINAL, failed)


@dataclass(frozen=True)
class _Failed:
    response: Any


def _answer_one(request: Any, answer: Callable[[Request], Tensors | Later]) -> Any:
    try:
        tensors = answer(_request(request))
        return tensors if isinstance(tensors, Coroutine) else _response(tensors)
    except Exception as error:
        return _error_response(request, error)


def _prepare_one(request: Any, prepare: Callable[[Request], Any]) -> Any:
    try:
        return prepare(_request(request))
    except Exception as error:
        return _Failed(_error_response(request, error))


def _response(answer: Tensors) -> Any:
    return pb_utils.InferenceResponse(
        [pb_utils.Tensor(name, np.ascontiguousarray(array)) for name, array in answer.items()]
    )


def _error_response(request: Any, error: Exception) -> Any:
    if not isinstance(error, RequestError):
        # A bug: the traceback goes to the log, not to the client.
        pb_utils.Logger.log_error("".join(traceback.format_exception(error)))
        error = StageFailed(f"internal error ({type(error).__name__}): see the server's log")
    message = message_of_error(error, with_status=_is_from_model(request))
    code = getattr(pb_utils.TritonError, error.status)
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
