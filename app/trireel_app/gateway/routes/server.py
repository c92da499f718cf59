# SPDX-License-Identifier: Apache-2.0
"""How the servers, the workers and the queue are."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, Field

from trireel_app.engine.leases import Leases
from trireel_app.gateway.access.keys import Access
from trireel_app.gateway.depends import PartsOf, admin_or_loopback, needs
from trireel_app.gateway.state import Parts
from trireel_app.jobs.uploads import UploadState

router = APIRouter(tags=["server"])
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
LEASE_SECONDS = 15.0


class OneServerJson(BaseModel):
    """One server."""

    name: str = Field(description="Its address for admins, otherwise its number.", examples=["1"])
    ready: bool
    version: str = ""


class QueueJson(BaseModel):
    """Videos of all owners that have not ended."""

    queued: int = 0
    running: int = 0


class ServerJson(BaseModel):
    """How the servers, the workers and the queue are."""

    ready: bool = Field(description="True if a server and a worker are ready.")
    servers: list[OneServerJson]
    checkpoint: str = ""
    note: str = Field("", description="Sentence that people should read beside the answers.")
    findings: list[str] = []
    workers: int = Field(0, description="Workers that live.")
    queue: QueueJson


@router.get("/v1/server")
async def server(access: Annotated[Access, Depends(needs())], parts: PartsOf) -> ServerJson:
    """Show how the servers, the workers and the queue are."""
    states = await parts.watch.states()
    workers, queue = await asyncio.to_thread(_workers_and_queue, parts)
    details = next((state.details for state in states if state.details is not None), None)
    return ServerJson(
        ready=workers > 0 and any(state.is_ready for state in states),
        servers=[
            OneServerJson(
                name=state.url if access.is_admin else str(number),
                ready=state.is_ready,
                version="" if state.details is None else state.details.version,
            )
            for number, state in enumerate(states, 1)
        ],
        checkpoint="" if details is None else details.checkpoint,
        note="" if details is None else details.checkpoint_note,
        findings=[] if details is None else list(details.findings),
        workers=workers,
        queue=queue,
    )


@router.get("/metrics", dependencies=[Depends(admin_or_loopback)], include_in_schema=False)
def metrics(parts: PartsOf) -> Response:
    """Return the metrics of this process for Prometheus."""
    return Response(parts.metrics.text(), media_type=METRICS_TYPE)


def _workers_and_queue(parts: Parts) -> tuple[int, QueueJson]:
    counts = parts.uploads.counts()
    queue = QueueJson(queued=counts[UploadState.QUEUED], running=counts[UploadState.RUNNING])
    return len(Leases(parts.database, LEASE_SECONDS).living()), queue
