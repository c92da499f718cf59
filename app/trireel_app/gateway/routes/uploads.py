# SPDX-License-Identifier: Apache-2.0
"""Uploads in pieces by tus 1.0: https://tus.io/protocols/resumable-upload."""

import asyncio
import time
from email.utils import formatdate
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.requests import ClientDisconnect

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs, own_video
from trireel_app.gateway.failures import BadRequest, HttpFailure, NotFound, UnsupportedType
from trireel_app.gateway.intake.tus import EXTENSIONS, VERSION
from trireel_app.gateway.routes.videos import ANY_SIZE, length_of
from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadRow, UploadState

router = APIRouter(prefix="/v1/uploads", tags=["uploads"])

PIECE = "application/offset+octet-stream"


class OtherVersion(HttpFailure):
    """The client speaks another version of tus."""

    status = 412

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers that belong to the answer."""
        return {**super().headers, "Tus-Resumable": VERSION, "Tus-Version": VERSION}


def check_version(tus_resumable: Annotated[str | None, Header()] = None) -> None:
    """Raise OtherVersion unless the client speaks tus 1.0; a dependency."""
    if tus_resumable != VERSION:
        raise OtherVersion(f"send the header Tus-Resumable: {VERSION}")


Writer = Annotated[Access, Depends(needs("videos:write"))]
OwnUpload = Annotated[UploadRow, Depends(own_video("videos:write"))]
SPEAKS_TUS = [Depends(check_version)]


@router.options("", status_code=204)
@router.options("/{upload_id}", status_code=204, include_in_schema=False)
def options(parts: PartsOf) -> Response:
    """Tell which tus this is."""
    headers = {"Tus-Version": VERSION, "Tus-Extension": EXTENSIONS}
    return _answer(204, {**headers, "Tus-Max-Size": str(parts.tus.most_bytes)})


@router.post("", status_code=201, dependencies=SPEAKS_TUS)
async def create(
    request: Request,
    access: Writer,
    parts: PartsOf,
    upload_metadata: Annotated[
        str, Header(description="`filename`, `options` and `webhook_url`, each in base64.")
    ] = "",
    upload_length: Annotated[str | None, Header(description="Size of the file.")] = None,
) -> Response:
    """Begin an upload; `Location` is where its pieces go."""
    length = length_of(request, "upload-length")
    if length is None:
        raise BadRequest("send the header Upload-Length: the size of the file in bytes")
    await asyncio.to_thread(parts.quota.check, access)
    create_upload = parts.tus.create
    row = await asyncio.to_thread(create_upload, access.owner, length, upload_metadata)
    headers = {"Location": f"/v1/uploads/{row.id}", **_expiry(parts)}
    return _answer(201, headers)


@router.head("/{video_id}", status_code=200, dependencies=SPEAKS_TUS)
async def offset(upload: OwnUpload, parts: PartsOf) -> Response:
    """Tell how many bytes of an upload are kept."""
    now = await parts.tus.offset(upload)
    metadata = await asyncio.to_thread(parts.tus.metadata, upload)
    headers = {
        "Upload-Offset": str(now),
        "Upload-Length": str(upload.size_bytes or 0),
        "Cache-Control": "no-store",
        **({"Upload-Metadata": metadata} if metadata else {}),
    }
    if upload.state is UploadState.UPLOADING:
        headers |= _expiry(parts)
    else:
        headers["Trireel-Video"] = upload.id
    return _answer(200, headers)


@router.patch("/{video_id}", status_code=204, dependencies=SPEAKS_TUS, max_body_size=ANY_SIZE)
async def append(
    request: Request,
    upload: OwnUpload,
    parts: PartsOf,
    upload_offset: Annotated[str | None, Header(description="Bytes that are kept.")] = None,
) -> Response:
    """Add a piece to an upload; the last one makes it a video, which `Trireel-Video` names."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != PIECE:
        raise UnsupportedType(f"send the piece as {PIECE}")
    begin = length_of(request, "upload-offset")
    if begin is None:
        raise BadRequest("send the header Upload-Offset: the bytes that are kept")
    try:
        now = await parts.tus.append(upload, begin, aiter(request.stream()))
    except ClientDisconnect as error:
        raise BadRequest("the connection was cut; what has come is kept") from error
    headers = {"Upload-Offset": str(now)}
    if now == upload.size_bytes:
        headers["Trireel-Video"] = upload.id
    else:
        headers |= _expiry(parts)
    return _answer(204, headers)


@router.delete("/{video_id}", status_code=204, dependencies=SPEAKS_TUS)
async def remove(upload: OwnUpload, parts: PartsOf) -> Response:
    """Give an upload up."""
    await parts.tus.remove(upload)
    return _answer(204, {})


@router.post(
    "/{video_id}", include_in_schema=False, dependencies=SPEAKS_TUS, max_body_size=ANY_SIZE
)
async def overridden(
    request: Request,
    upload: OwnUpload,
    parts: PartsOf,
    x_http_method_override: Annotated[str, Header()] = "",
) -> Response:
    """Do what another method would: some networks let GET and POST pass alone."""
    method = x_http_method_override.upper()
    if method == "PATCH":
        return await append(request, upload, parts)
    if method == "HEAD":
        return await offset(upload, parts)
    if method == "DELETE":
        return await remove(upload, parts)
    raise NotFound("send PATCH, HEAD or DELETE, or the header X-HTTP-Method-Override")


def _answer(status: int, headers: dict[str, str]) -> Response:
    return Response(status_code=status, headers={"Tus-Resumable": VERSION, **headers})


def _expiry(parts: Parts) -> dict[str, str]:
    at = time.time() + parts.settings.keeping.upload_seconds
    return {"Upload-Expires": formatdate(at, usegmt=True)}
