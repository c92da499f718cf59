# SPDX-License-Identifier: Apache-2.0
"""Errors as JSON of one shape, with the status of their kind."""

import logging
from collections.abc import Mapping
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
    app.add_exception_handler(HttpFailure, _http_failure)
    app.add_exception_handler(AppError, _failure)
    app.add_exception_handler(TrireelError, _failure)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _plain)
    app.add_exception_handler(Exception, _fault)


async def _http_failure(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HttpFailure)
    kind, headers = type(error).__name__, error.headers
    return await _answer(connection, error.status, kind, str(error), headers)


async def _failure(connection: HTTPConnection, error: Exception) -> Response:
    status = next(status for kind, status in STATUSES if isinstance(error, kind))
    headers = (
        {"Retry-After": str(RETRY_SECONDS)} if status == HTTPStatus.SERVICE_UNAVAILABLE else {}
    )
    message = str(error)
    if not isinstance(error, TrireelError | InvalidOption):
        # Its sentence may name places of this machine.
        LOGGER.error("%s: %s", type(error).__name__, error)
        message = "the library or the database cannot be used now"
    return await _answer(connection, status, type(error).__name__, message, headers)


async def _invalid(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place = ".".join(map(str, first["loc"]))
    message = f"{place}: {first['msg']}"[:MOST_LETTERS]
    return await _answer(connection, 422, "Invalid", message)


async def _plain(connection: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = "".join(HTTPStatus(error.status_code).phrase.title().replace("'", "").split())
    message = str(error.detail)[:MOST_LETTERS]
    return await _answer(connection, error.status_code, kind, message, error.headers or {})


async def _fault(connection: HTTPConnection, error: Exception) -> Response:
    # The guard logs it.
    return await _answer(connection, 500, "InternalError", "internal error")


async def _answer(
    connection: HTTPConnection,
    status: int,
    kind: str,
    message: str,
    headers: Mapping[str, Any] | None = None,
) -> Response:
    response = JSONResponse(error_json(status, kind, message), status, dict(headers or {}))
    if isinstance(connection, WebSocket):
        await _end(connection, response, message)
    return response


async def _end(socket: WebSocket, response: Response, message: str) -> None:
    """Answer a WebSocket that was not accepted with a status, and close another."""
    is_open = socket.application_state.name == "CONNECTED"
    if not is_open and "websocket.http.response" in socket.scope.get("extensions", {}):
        await socket.send_denial_response(response)
    else:
        await socket.close(POLICY_VIOLATION, message[:120])
