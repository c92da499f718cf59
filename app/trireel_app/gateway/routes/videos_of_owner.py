# SPDX-License-Identifier: Apache-2.0
"""The videos of an owner: the list, one of them, and its removal."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs, own_video
from trireel_app.gateway.failures import Invalid
from trireel_app.gateway.video_json import VideoJson, video_json
from trireel_app.jobs.uploads import UploadRow, UploadState

router = APIRouter(prefix="/v1/videos", tags=["videos"])


class VideoPage(BaseModel):
    """Some videos, newest first."""

    videos: list[VideoJson]
    next: str | None = None


@router.get("")
def list_videos(
    access: Annotated[Access, Depends(needs("videos:read"))],
    parts: PartsOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[
        str | None, Query(max_length=200, description="`next` of the page before.")
    ] = None,
    state: UploadState | None = None,
    q: Annotated[str, Query(max_length=200, description="Part of the name.")] = "",
) -> VideoPage:
    """List the videos of the caller, newest first."""
    after = None if cursor is None else _after(cursor)
    rows = parts.uploads.page(access.owner, limit + 1, after, state, q.replace("\0", ""))
    page = rows[:limit]
    more = _cursor(page[-1]) if len(rows) > limit else None
    return VideoPage(videos=[video_json(row, parts.publisher.places) for row in page], next=more)


@router.get("/{video_id}")
def show(
    video: Annotated[UploadRow, Depends(own_video("videos:read"))], parts: PartsOf
) -> VideoJson:
    """Show a video and how far its analysis is."""
    return video_json(video, parts.publisher.places)


def _cursor(row: UploadRow) -> str:
    return base64.urlsafe_b64encode(json.dumps([row.created_at, row.id]).encode()).decode()


def _after(cursor: str) -> tuple[float, str]:
    try:
        seconds, video_id = json.loads(base64.urlsafe_b64decode(cursor))
        return float(seconds), str(video_id)
    except (binascii.Error, ValueError, TypeError) as error:
        raise Invalid("the cursor is none of this list: begin without one") from error
