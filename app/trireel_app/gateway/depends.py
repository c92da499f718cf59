# SPDX-License-Identifier: Apache-2.0
"""The dependencies of routes: who sends the request, and the video that they may see."""

import ipaddress
import re
from collections.abc import Callable
from functools import cache
from typing import Annotated

from fastapi import Depends, Path, Security
from fastapi.openapi.models import APIKey, APIKeyIn, HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import HTTPConnection

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.access.origins import address_in, is_same_origin
from trireel_app.gateway.access.sessions import COOKIE
from trireel_app.gateway.failures import Forbidden, NotAuthenticated, NotFound
from trireel_app.gateway.state import Parts, parts
from trireel_app.jobs.uploads import UploadRow

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
VIDEO_ID = re.compile(r"[0-9a-f]{20}")
BEARER = "bearer "
EXAMPLE_ID = "5f0e3c9ab1d2e4f60718"
PROXY_HEADERS = ("forwarded", "x-forwarded-for", "via")

PartsOf = Annotated[Parts, Depends(parts)]


class BearerKey(SecurityBase):
    """The key of a program, in the header `Authorization`."""

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="trk_...", description="A key of `trireel keys`.")
        self.scheme_name = "key"

    async def __call__(self, connection: HTTPConnection) -> str | None:
        """Return the key, None if there is none."""
        header = connection.headers.get("authorization", "")
        return header[len(BEARER) :].strip() if header.lower().startswith(BEARER) else None


class SessionCookie(SecurityBase):
    """The session of the page, in a cookie."""

    def __init__(self) -> None:
        place = {"in": APIKeyIn.cookie}
        text = "The cookie that `POST /v1/session` sets."
        self.model = APIKey(**place, name=COOKIE, description=text)  # type: ignore[arg-type]
        self.scheme_name = "session"

    async def __call__(self, connection: HTTPConnection) -> str | None:
        """Return the cookie, None if there is none."""
        return connection.cookies.get(COOKIE)


KEY, SESSION = BearerKey(), SessionCookie()


@cache
def needs(scope: str | None = None) -> Callable[..., Access]:
    """Return the dependency that returns the caller's access, of HTTP and of WebSocket routes.

    It raises NotAuthenticated without a valid key or session, Forbidden if the scope is missing or
    a change by cookie comes from another site, and TooManyRequests past the limit of requests.

    Args:
        scope: scope that the key must have; None if any valid key will do.
    """

    def dependency(
        connection: HTTPConnection,
        parts: PartsOf,
        key: Annotated[str | None, Security(KEY)],
        cookie: Annotated[str | None, Security(SESSION)],
    ) -> Access:
        access = _access(connection, parts, key, cookie)
        connection.state.access = access
        parts.request_limits.count_owner(access.owner)
        if scope is not None and scope not in access.scopes:
            raise Forbidden(f"the key lacks the scope {scope}")
        return access

    return dependency


@cache
def own_video(scope: str) -> Callable[..., UploadRow]:
    """Return the dependency that returns the video of the path's `video_id` if it is the caller's.

    It raises NotFound for another owner's, and what `needs` raises.
    """

    def dependency(
        access: Annotated[Access, Depends(needs(scope))],
        parts: PartsOf,
        video_id: Annotated[str, Path(description="Id of the video.", examples=[EXAMPLE_ID])],
    ) -> UploadRow:
        return video_of(parts, access, video_id)

    return dependency


def admin_or_loopback(
    connection: HTTPConnection,
    parts: PartsOf,
    key: Annotated[str | None, Security(KEY)],
    cookie: Annotated[str | None, Security(SESSION)],
) -> None:
    """Let callers of this machine pass, and keys with the scope admin; a dependency.

    What a proxy of this machine passes on comes from elsewhere.
    """
    is_passed_on = any(name in connection.headers for name in PROXY_HEADERS)
    if _is_loopback(address_in(connection.scope)) and not is_passed_on:
        return
    if not _access(connection, parts, key, cookie).is_admin:
        raise Forbidden("the key lacks the scope admin")


def video_of(parts: Parts, access: Access, video_id: str) -> UploadRow:
    """Return a video of the caller's; raises NotFound for another owner's, as for none."""
    found = None
    if VIDEO_ID.fullmatch(video_id):
        found = parts.uploads.find(access.owner, video_id)
    if found is None:
        raise NotFound("there is no such video")
    return found


def access_of_key(parts: Parts, key: str, address: str) -> Access:
    """Return what a key permits.

    Raises:
        NotAuthenticated: if it is not valid.
        TooManyRequests: if the address has sent too many such keys.
    """
    access = parts.keys.access_of(key)
    if access is None:
        # A valid key passes also if others behind the same address guess.
        parts.request_limits.count_failure(address)
        raise NotAuthenticated("the key is not valid, or has ended")
    return access


def _access(
    connection: HTTPConnection, parts: Parts, key: str | None, cookie: str | None
) -> Access:
    address = address_in(connection.scope)
    if key is not None:
        return access_of_key(parts, key, address)
    if cookie is None:
        raise NotAuthenticated("give a key: Authorization: Bearer trk_...")
    session = parts.sessions.key_id(cookie)
    access = None if session is None else parts.keys.access_by_id(session[0])
    if access is None:
        parts.request_limits.count_failure(address)
        raise NotAuthenticated("the session has ended: give the key again")
    _check_site(connection)
    return access


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _check_site(connection: HTTPConnection) -> None:
    """Raise Forbidden if a request by cookie may change something, and another site sent it.

    A WebSocket is checked always: browsers open one to any site, with its cookies.
    """
    if connection.scope["type"] == "http" and connection.scope["method"] in SAFE_METHODS:
        return
    headers = connection.headers
    if not is_same_origin(headers.get("origin"), headers.get("host", "")):
        raise Forbidden("a change by cookie must come from the gateway's own page")
