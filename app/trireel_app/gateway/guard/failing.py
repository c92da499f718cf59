# SPDX-License-Identifier: Apache-2.0
"""Errors as JSON of one shape, with the status of their kind."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse, Response
from starlette.websockets import WebSocket

from trireel_app.errors import AppError, InvalidOption
from trireel_app.gateway.failures import HttpFailure, error_json
from trireel_client import (
    InvalidRequest,
    NotFound,
    RequestTimeout,
    ServerUnavailable,
    SourceError,
    TrireelError,
    Unsupported,
)

LOGGER = logging.getLogger("trireel.gateway")
RETRY_SECONDS = 5
POLICY_VIOLATION = 1008
MOST_LETTERS = 300  # of a message about a value that the caller sent
STATUSES: tuple[tuple[type[Exception], int], ...] = (
    (InvalidOption, 422),
    (AppError, 503),
    (ServerUnavailable, 503),
    (RequestTimeout, 504),
    (InvalidRequest, 422),
    (SourceError, 422),
    (Unsupported, 422),
    (NotFound, 404),
    (TrireelError, 502),
)


def answer_failures(app: FastAPI) -> None:
    """Let an app answer every error in the one shape, and no error with a traceback."""
    for kind in (
        HttpFailure,
        AppError,
        TrireelError,
        RequestValidationError,
        HTTPException,
        Exception,
    ):
        app.add_exception_handler(kind, _answer)


@dataclass(frozen=True)
class ErrorAnswer:
    """What a caller is told of an error."""

    status: int
    """HTTP status."""
    kind: str
    """Name of the kind of error."""
    message: str
    """Sentence for a person."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer."""

    @property
    def json(self) -> Mapping[str, Any]:
        """Return the body of the answer."""
        return error_json(self.status, self.kind, self.message)


def error_of(error: Exception) -> ErrorAnswer:
    """Return what a caller is told of an error; logs what they are not told."""
    match error:
        case HttpFailure():
            return ErrorAnswer(error.status, type(error).__name__, str(error), error.headers)
        case AppError() | TrireelError():
            return _failure(error)
        case RequestValidationError():
            first = error.errors()[0]
            message = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            return ErrorAnswer(422, "Invalid", message[:MOST_LETTERS])
        case HTTPException():
            phrase = HTTPStatus(error.status_code).phrase.title().replace("'", "")
            message = str(error.detail)[:MOST_LETTERS]
            headers = dict(error.headers or {})
            return ErrorAnswer(error.status_code, "".join(phrase.split()), message, headers)
    # The guard logs it.
    return ErrorAnswer(500, "InternalError", "internal error")


def _failure(error: AppError | TrireelError) -> ErrorAnswer:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers = (
        {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    )
    message = str(error)
    if not isinstance(error, TrireelError | InvalidOption):
        # Its sentence may name places of this machine.
        LOGGER.error("%s: %s", type(error).__name__, error)
        message = "the library or the database cannot be used now"
    return ErrorAnswer(status, type(error).__name__, message, headers)


async def _answer(connection: HTTPConnection, error: Exception) -> Response:
    told = error_of(error)
    response = JSONResponse(told.json, told.status, dict(told.headers))
    if isinstance(connection, WebSocket):
        await _end(connection, response, told.message)
        return None  # type: ignore[return-value] # else Starlette would send it once more
    return response


async def _end(socket: WebSocket, response: Response, message: str) -> None:
    """Answer a WebSocket that was not accepted with a status, and close another."""
    is_open = socket.application_state.name == "CONNECTED"
    if not is_open and "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(response)
    else:
        await socket.close(POLICY_VIOLATION, message[:120])
