# SPDX-License-Identifier: Apache-2.0
"""Whether the gateway lives, and whether it can work."""

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import BaseModel

from trireel_app.gateway.depends import PartsOf
from trireel_app.gateway.failures import Unavailable

router = APIRouter(tags=["health"])


class HealthJson(BaseModel):
    """The gateway lives, or is ready."""

    status: str = "ok"


@router.get("/healthz")
async def live() -> HealthJson:
    """Answer while the process lives."""
    return HealthJson()


@router.get("/readyz")
def ready(parts: PartsOf) -> HealthJson:
    """Answer if the database does."""
    try:
        with parts.database.connect() as connection:
            connection.execute(sa.text("SELECT 1"))
    except sa.exc.SQLAlchemyError as error:
        raise Unavailable("the database does not answer", retry_after_seconds=5) from error
    return HealthJson()
