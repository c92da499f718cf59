# SPDX-License-Identifier: Apache-2.0
"""A video as the API shows it."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from trireel_app.jobs.uploads import UploadRow, UploadState


class TagJson(BaseModel):
    """A tag of a video."""

    text: str = Field(examples=["red circle"])
    probability: float = Field(examples=[0.93])


class ProgressJson(BaseModel):
    """How far the analysis of a video is."""

    stage: Literal["wait", "fetch", "analyse", "store"] = "wait"
    chunks_done: int = 0
    chunks_total: int | None = None
    queue_place: int | None = None
    eta_seconds: float | None = None


class LinksJson(BaseModel):
    """Addresses of what belongs to a video."""

    model_config = ConfigDict(populate_by_name=True)

    self_: str = Field(alias="self")
    result: str
    file: str
    thumbnail: str
    events: str


class VideoJson(BaseModel):
    """A video of the caller's."""

    id: str = Field(examples=["5f0e3c9ab1d2e4f60718"])
    name: str = Field(examples=["sample.mp4"])
    state: Literal["uploading", "queued", "running", "done", "failed", "cancelled"]
    created_at: str = Field(examples=["2026-11-30T08:15:00Z"])
    finished_at: str | None = None
    expires_at: str | None = Field(None, description="Time of its removal; null if it is kept.")
    size_bytes: int | None = None
    duration_seconds: float | None = None
    error: str | None = Field(None, description="Sentence that says why it failed.")
    job_id: str | None = None
    progress: ProgressJson
    num_scenes: int | None = None
    tags: list[TagJson] = []
    links: LinksJson


def video_json(row: UploadRow, places: Mapping[str, int] | None = None) -> VideoJson:
    """Return a video as the API shows it.

    Args:
        places: places in the queue of videos that wait.
    """
    base = f"/v1/videos/{row.id}"
    links = {name: f"{base}/{name}" for name in ("result", "file", "thumbnail", "events")}
    return VideoJson(
        id=row.id,
        name=row.name,
        state=row.state.value,
        created_at=time_text(row.created_at),
        finished_at=None if row.finished_at is None else time_text(row.finished_at),
        expires_at=None if row.expires_at is None else time_text(row.expires_at),
        size_bytes=row.size_bytes,
        duration_seconds=row.duration_seconds,
        error=row.error,
        job_id=row.job_id,
        progress=_progress(row, places or {}),
        num_scenes=row.num_scenes,
        tags=[TagJson(**tag) for tag in json.loads(row.tags or "[]")],
        links=LinksJson(self=base, **links),
    )


def _progress(row: UploadRow, places: Mapping[str, int]) -> ProgressJson:
    found = ProgressJson(**json.loads(row.progress or "{}"))
    if row.state is UploadState.QUEUED:
        return found.model_copy(update={"queue_place": places.get(row.id)})
    return found


def time_text(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC, to the millisecond."""
    text = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")
