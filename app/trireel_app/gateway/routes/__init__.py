# SPDX-License-Identifier: Apache-2.0
"""The routes of the gateway; each module has a router, and `ROUTERS` lists them all."""

from trireel_app.gateway.routes import (
    chat,
    completions,
    files,
    health,
    results,
    search,
    server,
    session,
    videos_of_owner,
)

ROUTERS = (
    health.router,
    server.router,
    session.router,
    videos_of_owner.router,
    files.router,
    results.router,
    search.router,
    chat.router,
    completions.router,
)
