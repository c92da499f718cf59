# SPDX-License-Identifier: Apache-2.0
"""The jobs of an owner: each analyses one video. And the secret that signs webhooks."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, needs
from trireel_app.gateway.failures import NotFound
from trireel_app.gateway.routes import videos
from trireel_app.gateway.state import Parts
from trireel_app.gateway.video_json import ProgressJson, VideoJson, video_json
from trireel_app.jobs.uploads import UploadRow

router = APIRouter(prefix="/v1", tags=["jobs"])

Reader = Annotated[Access, Depends(needs("videos:read"))]
Writer = Annotated[Access, Depends(needs("videos:write"))]


class JobJson(BaseModel):
    """A job."""

    id: str = Field(examples=["2c9dec3b5f0e3c9a"])
    video: str = Field(examples=["5f0e3c9ab1d2e4f60718"])
    name: str = Field(examples=["sample.mp4"])
    state: str = Field(examples=["running"])
    created_at: str
    finished_at: str | None = None
    duration_seconds: float | None = None
    error: str | None = None
    progress: ProgressJson


class JobList(BaseModel):
    """Jobs, newest first."""

    jobs: list[JobJson]


class WebhookSecret(BaseModel):
    """The secret that signs the caller's webhooks."""

    secret: str = Field(examples=["whsec_..."])


def own_job(scope: str) -> object:
    """Return the dependency that returns the video of the path's job if it is the caller's."""

    def dependency(
        access: Annotated[Access, Depends(needs(scope))],
        parts: PartsOf,
        job_id: Annotated[str, Path(max_length=64, examples=["2c9dec3b5f0e3c9a"])],
    ) -> UploadRow:
        row = parts.uploads.of_job(access.owner, job_id)
        if row is None:
            raise NotFound("there is no such job")
        return row

    return Depends(dependency)


@router.get("/jobs")
def list_jobs(
    access: Reader, parts: PartsOf, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> JobList:
    """List the jobs of the caller, newest first."""
    rows = parts.uploads.page(access.owner, limit)
    return JobList(jobs=[_job(row, parts) for row in rows if row.job_id is not None])


@router.get("/jobs/{job_id}")
def show(video: Annotated[UploadRow, own_job("videos:read")], parts: PartsOf) -> JobJson:
    """Show a job."""
    return _job(video, parts)


@router.post("/jobs/{job_id}/cancel", status_code=202)
def cancel(video: Annotated[UploadRow, own_job("videos:write")], parts: PartsOf) -> VideoJson:
    """Stop a job."""
    return videos.cancel(video, parts)


@router.post("/jobs/{job_id}/retry", status_code=202)
def retry(
    video: Annotated[UploadRow, own_job("videos:write")], access: Writer, parts: PartsOf
) -> VideoJson:
    """Analyse the video of a job again, in a new job."""
    return videos.retry(video, access, parts)


@router.get("/webhooks/secret")
def webhook_secret(access: Writer, parts: PartsOf) -> WebhookSecret:
    """Return the secret that signs the caller's webhooks: HMAC-SHA256 of `TIME.BODY`."""
    return WebhookSecret(secret=parts.webhooks.secret(access.owner))


def _job(row: UploadRow, parts: Parts) -> JobJson:
    video = video_json(row, parts.publisher.places)
    return JobJson(
        id=row.job_id or "",
        video=row.id,
        name=row.name,
        state=row.state,
        created_at=video.created_at,
        finished_at=video.finished_at,
        duration_seconds=row.duration_seconds,
        error=row.error,
        progress=video.progress,
    )
