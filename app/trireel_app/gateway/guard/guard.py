# SPDX-License-Identifier: Apache-2.0
"""The outermost layer of the gateway."""

import json
import logging
import time
from collections.abc import Mapping
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trireel_app.gateway.access.origins import address_in, is_known_host
from trireel_app.gateway.access.sessions import COOKIE
from trireel_app.gateway.failures import (
    BadRequest,
    HttpFailure,
    InternalError,
    TooManyRequests,
    error_json,
)
from trireel_app.gateway.guard.headers import with_headers
from trireel_app.gateway.state import Parts

LOGGER = logging.getLogger("trireel.gateway")
UNLIMITED_PATHS = frozenset({"/healthz", "/readyz"})
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
REJECTED = frozenset({401, 403, 413, 415})  # a flood of 429 would fill the log
POLICY_VIOLATION = 1008


class Guard:
    """Rejects wrong hosts and floods, adds headers to every answer, and writes the audit log."""

    def __init__(self, app: ASGIApp, parts: Parts) -> None:
        self._app = app
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it may go on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        answer = _Answer(scope, send, self._parts)
        try:
            self._check(scope)
        except HttpFailure as failure:
            await _reject(scope, receive, answer.send, failure)
            return
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:  # a fault of ours ends one request
            LOGGER.error("internal error", exc_info=error)
            if answer.has_begun and not answer.has_ended:
                raise  # the connection must break: the answer is not whole
            if not answer.has_begun:
                await _reject(scope, receive, answer.send, InternalError("internal error"))

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        if not is_known_host(headers.get("host", ""), self._parts.settings.hosts):
            raise BadRequest("this gateway has another name: see its option --host-name")
        if scope["path"] not in UNLIMITED_PATHS and not _has_credential(headers):
            self._parts.request_limits.count_anonymous(address_in(scope))


class _Answer:
    """Sends an answer with the headers of security, and notes it."""

    def __init__(self, scope: Scope, send: Send, parts: Parts) -> None:
        self._scope = scope
        self._send = send
        self._parts = parts
        self._began = time.monotonic()
        self.has_begun = self.has_ended = self._is_replaced = False

    async def send(self, message: Message) -> None:
        """Send a message; the first one of an answer gets headers."""
        self.has_begun = True
        is_last = message["type"] == "http.response.body" and not message.get("more_body")
        self.has_ended |= is_last or message["type"] == "websocket.close"
        if message["type"] == "http.response.start":
            if message["status"] >= HTTPStatus.BAD_REQUEST and _is_plain(message):
                await self._send_as_json(message["status"])
                return
            self._note(message["status"])
            is_secure = self._parts.settings.is_secure
            raw = with_headers(message.get("headers", ()), self._scope["path"], is_secure=is_secure)
            message = {**message, "headers": raw}
        if not self._is_replaced:
            await self._send(message)

    async def _send_as_json(self, status: int) -> None:
        """Replace an error in plain text of the framework; what follows it is dropped."""
        text = HTTPStatus(status).phrase
        kind, message = "".join(text.title().split()), f"the request is not possible: {text}"
        if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            kind, message = "TooLarge", "the body is larger than allowed"
        await _send_error(self.send, status, kind, message, {})
        self._is_replaced = True

    def _note(self, status: int) -> None:
        method = self._scope.get("method", "GET")
        seconds = time.monotonic() - self._began
        self._parts.metrics.count(_pattern(self._scope), _known(method), status, seconds)
        is_noted = status in REJECTED or method not in SAFE_METHODS
        if not is_noted or status == TooManyRequests.status:
            return
        access = self._scope["state"].get("access")
        facts: Mapping[str, Any] = {
            "method": method,
            "path": self._scope["path"],
            "status": status,
            "key": None if access is None else access.key_id,
            "owner": None if access is None else access.owner,
            "address": address_in(self._scope),
            "ms": round(seconds * 1000, 1),
        }
        self._parts.audit.write("rejected" if status in REJECTED else "change", facts)


def _has_credential(headers: Headers) -> bool:
    if "authorization" in headers:
        return True
    try:
        return COOKIE in SimpleCookie(headers.get("cookie", ""))
    except CookieError:
        return False


async def _reject(scope: Scope, receive: Receive, send: Send, failure: HttpFailure) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": str(failure)})
        return
    await _send_error(send, failure.status, type(failure).__name__, str(failure), failure.headers)


async def _send_error(
    send: Send, status: int, kind: str, message: str, more: Mapping[str, str]
) -> None:
    body = json.dumps(error_json(status, kind, message)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in more.items()]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _is_plain(message: Message) -> bool:
    headers = Headers(raw=list(message.get("headers", ())))
    return headers.get("content-type", "").startswith("text/plain")


def _pattern(scope: Scope) -> str:
    """Return the pattern of the route that a request went to."""
    return getattr(scope.get("route"), "path_format", "other")


def _known(method: str) -> str:
    """Return a method, `other` if it is made up: each one is a series of its own."""
    return method if method in METHODS else "other"
