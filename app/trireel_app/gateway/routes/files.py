# SPDX-License-Identifier: Apache-2.0
"""The original of a video, and the removal of a video with all that belongs to it."""

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends
from starlette.responses import FileResponse, Response

from trireel_app.gateway.depends import PartsOf, own_video
from trireel_app.gateway.failures import NotFound
from trireel_app.gateway.removal import remove_video
from trireel_app.gateway.serving import uploaded_file
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
    remove_video(parts.keeper, parts.intake.folder, parts.intake.jobs, video)
