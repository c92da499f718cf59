# SPDX-License-Identifier: Apache-2.0
"""The routes of the gateway; each module has a router, and `ROUTERS` lists them all."""

from trireel_app.gateway.routes import (
    chat,
    completions,
    events,
    files,
    health,
    jobs,
    results,
    search,
    server,
    session,
    uploads,
    videos,
    videos_of_owner,
)

ROUTERS = (
    health.router,
    server.router,
    session.router,
    videos.router,
    uploads.router,
    events.router,
    jobs.router,
    videos_of_owner.router,
    files.router,
    results.router,
    search.router,
    chat.router,
    completions.router,
)
