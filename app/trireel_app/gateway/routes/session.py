# SPDX-License-Identifier: Apache-2.0
"""The session of the page: a key for a cookie."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.access.origins import address_in
from trireel_app.gateway.access.sessions import COOKIE
from trireel_app.gateway.depends import PartsOf, access_of_key, needs
from trireel_app.gateway.failures import Forbidden
from trireel_app.gateway.video_json import time_text

router = APIRouter(prefix="/v1/session", tags=["session"])


class KeyJson(BaseModel):
    """A key."""

    key: str = Field(max_length=200, examples=["trk_0123456789ab_..."])


class SessionJson(BaseModel):
    """Who is here."""

    owner: str = Field(examples=["me"])
    scopes: list[str] = Field(examples=[["videos:read", "search"]])
    expires_at: str | None = Field(None, examples=["2026-12-31T00:00:00.000Z"])


@router.post("")
def begin(body: KeyJson, request: Request, response: Response, parts: PartsOf) -> SessionJson:
    """Begin a session of the page: the answer sets a cookie that scripts cannot read."""
    # A page of another site could otherwise let its reader work under a foreign key.
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("a session must begin on the gateway's own page")
    access = access_of_key(parts, body.key, address_in(request.scope))
    request.state.access = access
    response.set_cookie(
        COOKIE,
        parts.sessions.cookie(access.key_id),
        max_age=int(parts.sessions.lasts_seconds),
        path="/",
        secure=parts.settings.is_secure,
        httponly=True,
        samesite="strict",
    )
    return _session(access)


@router.get("")
def show(access: Annotated[Access, Depends(needs())]) -> SessionJson:
    """Show who the key or the cookie belongs to."""
    return _session(access)


@router.delete("", status_code=204)
def end(response: Response, parts: PartsOf) -> None:
    """End the session of the page: the cookie is removed."""
    response.delete_cookie(
        COOKIE, path="/", secure=parts.settings.is_secure, httponly=True, samesite="strict"
    )


def _session(access: Access) -> SessionJson:
    ends = None if access.expires_at is None else time_text(access.expires_at)
    return SessionJson(owner=access.owner, scopes=sorted(access.scopes), expires_at=ends)
