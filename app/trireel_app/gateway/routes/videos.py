# SPDX-License-Identifier: Apache-2.0
"""Videos are submitted, cancelled, and tried again."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import ClientDisconnect

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs, own_video
from trireel_app.gateway.failures import (
    BadRequest,
    Conflict,
    Invalid,
    TooLarge,
    UnsupportedType,
)
from trireel_app.gateway.intake.accept import conflicts
from trireel_app.gateway.intake.fields import MOST_URI_LETTERS, normal_options, uri_of
from trireel_app.gateway.state import Parts
from trireel_app.gateway.video_json import VideoJson, video_json
from trireel_app.jobs.uploads import UploadRow, UploadState

router = APIRouter(prefix="/v1/videos", tags=["videos"])

ANY_SIZE = 1 << 62
"""The route counts by itself: what it allows is a setting."""
JSON_BYTES = 256 << 10
Writer = Annotated[Access, Depends(needs("videos:write"))]
OwnVideo = Annotated[UploadRow, Depends(own_video("videos:write"))]


class UriJson(BaseModel):
    """A video that the server fetches."""

    model_config = ConfigDict(extra="forbid", strict=True)

    uri: str = Field(max_length=MOST_URI_LETTERS, examples=["https://example.com/clip.mp4"])
    name: str | None = Field(None, max_length=1000, description="Name that people see.")
    options: dict[str, Any] | None = Field(None, description="Options of the analysis.")
    webhook_url: str | None = Field(None, description="Address that is told of the end.")


FORM = {
    "type": "object",
    "required": ["file"],
    "properties": {
        "file": {"type": "string", "format": "binary"},
        "name": {"type": "string"},
        "options": {"type": "string", "description": "Options of the analysis as JSON."},
        "webhook_url": {"type": "string"},
    },
}
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {"schema": FORM},
            "application/json": {"schema": UriJson.model_json_schema()},
        },
    }
}


@router.post("", status_code=202, max_body_size=ANY_SIZE, openapi_extra=BODY)
async def submit(request: Request, response: Response, access: Writer, parts: PartsOf) -> VideoJson:
    """Submit a video: a file as `multipart/form-data`, or an address that the server fetches.

    It is answered at once, and analysed behind it: `GET /v1/videos/{id}` and its events tell how
    far it is. Large files are better sent in pieces, to `/v1/uploads`.
    """
    await asyncio.to_thread(parts.quota.check, access)
    content_type = request.headers.get("content-type", "")
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        length = length_of(request, "content-length")
        body = _stream(request)
        row = await parts.intake.form(access.owner, content_type, length, body)
    elif kind == "application/json":
        row = await _by_uri(parts, access, await _json_body(request))
    else:
        raise UnsupportedType("send multipart/form-data with a file, or application/json")
    video = video_json(row, parts.publisher.places)
    response.headers["Location"] = video.links.self_
    return video


@router.post("/{video_id}/cancel", status_code=202)
def cancel(video: OwnVideo, parts: PartsOf) -> VideoJson:
    """Stop the upload or the analysis of a video."""
    if video.state is UploadState.UPLOADING:
        parts.intake.cancel_upload(video)
    else:
        with conflicts(f"the video is {video.state}: only one that waits or runs can be cancelled"):
            parts.intake.jobs.cancel(video)
    return video_json(parts.intake.current(video), parts.publisher.places)


@router.post("/{video_id}/retry", status_code=202)
def retry(video: OwnVideo, access: Writer, parts: PartsOf) -> VideoJson:
    """Analyse a video again that failed or was cancelled."""
    parts.quota.check(access)
    if not video.uri or (video.path and not parts.intake.folder.whole(video.id).exists()):
        raise Conflict("the video's file is not kept: send it again")
    with conflicts(f"the video is {video.state}: only one that failed can be tried again"):
        parts.intake.jobs.retry(video)
    return video_json(parts.intake.current(video), parts.publisher.places)


def length_of(request: Request, name: str) -> int | None:
    """Return the number in a header, None if it is not there; raises BadRequest."""
    text = request.headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest(f"the header {name} is no number of bytes")
    return int(text)


async def _by_uri(parts: Parts, access: Access, values: UriJson) -> UploadRow:
    if not parts.settings.uri_sources:
        raise Invalid("this gateway takes no videos by URI: send the file")
    options = normal_options(values.options or {})
    uri = uri_of(values.uri)
    submit_uri = parts.intake.uri
    name, webhook_url = values.name or "", values.webhook_url
    return await asyncio.to_thread(submit_uri, access.owner, uri, name, options, webhook_url)


async def _json_body(request: Request) -> UriJson:
    data = bytearray()
    async for piece in _stream(request):
        data += piece
        if len(data) > JSON_BYTES:
            raise TooLarge(f"the body is larger than allowed: send at most {JSON_BYTES} B")
    try:
        return UriJson.model_validate(json.loads(data))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, ("body", *first["loc"])))
        raise Invalid(f"{place}: {first['msg']}"[:300]) from error
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is no JSON: send an object with `uri`") from error


async def _stream(request: Request) -> AsyncIterator[bytes]:
    """Yield the body; raises BadRequest if the connection is cut, which is for the log alone."""
    try:
        async for piece in request.stream():
            yield piece
    except ClientDisconnect as error:
        raise BadRequest("the connection was cut") from error
