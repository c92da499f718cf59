# SPDX-License-Identifier: Apache-2.0
"""The original of a video, and the removal of a video with all that belongs to it."""

from contextlib import suppress
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse, Response

from trireel_app.gateway.depends import PartsOf, own_video
from trireel_app.gateway.failures import NotFound
from trireel_app.gateway.serving import uploaded_file
from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadRow

router = APIRouter(prefix="/v1/videos/{video_id}", tags=["videos"])


@router.get("/file", response_class=FileResponse)
@router.head("/file", response_class=FileResponse, include_in_schema=False)
def original(
    video: Annotated[UploadRow, Depends(own_video("videos:read"))], parts: PartsOf
) -> Response:
    """Return the uploaded video; `Range` asks for a part of it."""
    if not video.path:
        raise NotFound("the video came by URI: its file is not kept here")
    return uploaded_file(Path(video.path), parts.settings.uploads, video.name)


@router.delete("", status_code=204)
def remove(video: Annotated[UploadRow, Depends(own_video("videos:write"))], parts: PartsOf) -> None:
    """Remove a video: its file, its results, its rows in the index and its events."""
    remove_video(parts, video)


def remove_video(parts: Parts, video: UploadRow) -> None:
    """Remove a video and all that belongs to it; raises LibraryError."""
    # The row goes last: a removal that was cut off can be repeated.
    if parts.keeper.library.checkpoint() is not None:
        parts.keeper.remove(video.id)
    remove_file(parts.settings.uploads, video.path)
    parts.uploads.forget(video.id)


def remove_file(folder: Path, name: str) -> None:
    """Remove an uploaded file, and its own folder if it has one; nothing outside of `folder`."""
    path = Path(name)
    if not name or not path.resolve().is_relative_to(folder.resolve()):
        return
    path.unlink(missing_ok=True)
    if path.parent.resolve() != folder.resolve():
        with suppress(OSError):  # it is not empty
            path.parent.rmdir()
