# SPDX-License-Identifier: Apache-2.0
"""The gateway as an ASGI app."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from trireel_app.gateway.guard.failing import answer_failures
from trireel_app.gateway.guard.guard import Guard
from trireel_app.gateway.routes import ROUTERS
from trireel_app.gateway.settings import GatewaySettings
from trireel_app.gateway.state import opened, running

WEB = Path(__file__).parents[1] / "web"
VERSION = "1"
DESCRIPTION = """Videos, their analysis, and search over their moments.

Send `Authorization: Bearer trk_...` with a key of `trireel keys create`. A key sees the videos of
its owner alone. Every error has the shape `{"error": {"status", "kind", "message"}}`."""


def make_app(settings: GatewaySettings) -> FastAPI:
    """Return the gateway of these settings.

    Raises:
        InvalidOption: if an address of the settings cannot be used.
        LibraryError: if the database does not answer.
    """
    parts = opened(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with running(parts):
            yield

    app = _Gateway(
        title="Trireel gateway",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,  # its page loads scripts of other sites
        redoc_url=None,
        redirect_slashes=False,
        max_body_size=settings.limits.body_bytes,
    )
    app.state.parts = parts
    for router in ROUTERS:
        app.include_router(router)
    if WEB.is_dir():
        app.mount("/", StaticFiles(directory=WEB, html=True), name="web")
    answer_failures(app)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=["GET", "HEAD", "POST", "PATCH", "DELETE"],
            allow_headers=["authorization", "content-type", "last-event-id", "tus-resumable"],
        )
    return app


class _Gateway(FastAPI):
    """An app whose outermost layer is the guard."""

    def build_middleware_stack(self) -> ASGIApp:
        return Guard(super().build_middleware_stack(), self.state.parts)
