# SPDX-License-Identifier: Apache-2.0
"""Answers that are files."""

from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from trireel_app.gateway.failures import NotFound
from trireel_app.gateway.guard.headers import FILE_POLICY
from trireel_app.sources.kinds import HEAD_BYTES, SHOWN, media_type

BINARY = "application/octet-stream"


def not_modified(request: Request, tag: str) -> Response | None:
    """Return 304 if the caller has this version already, otherwise None."""
    known = request.headers.get("if-none-match", "")
    if tag and f'"{tag}"' in known:
        return Response(status_code=304, headers={"ETag": f'"{tag}"'})
    return None


def attachment(name: str, *, is_inline: bool = False) -> str:
    """Return the Content-Disposition of a file; its name may hold any characters."""
    shown = "".join(sign for sign in name if sign.isprintable()).strip() or "file"
    plain = "".join(s if s.isascii() and (s.isalnum() or s in "._- ") else "_" for s in shown)
    kind = "inline" if is_inline else "attachment"
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(shown, safe='')}"


def uploaded_file(path: Path, folder: Path, name: str) -> Response:
    """Return an uploaded file, with ranges of bytes.

    Its type is that of its content. A browser shows video, sound and pictures; it saves all else,
    so an upload is never a page of this site.

    Raises:
        NotFound: if the file is not there, or not in the folder of uploads.
    """
    try:
        resolved = path.resolve(strict=True)
        if not resolved.is_relative_to(folder.resolve()) or not resolved.is_file():
            raise NotFound("the file of this video is not kept")
        with resolved.open("rb") as file:
            kind = media_type(file.read(HEAD_BYTES))
    except (OSError, ValueError) as error:
        raise NotFound("the file of this video is not kept") from error
    is_shown = kind is not None and kind.startswith(SHOWN)
    headers = {
        "Content-Disposition": attachment(name, is_inline=is_shown),
        "Content-Security-Policy": FILE_POLICY,
        "Cache-Control": "private, no-cache",
    }
    return FileResponse(resolved, media_type=kind or BINARY, headers=headers)
