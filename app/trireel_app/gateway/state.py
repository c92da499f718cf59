# SPDX-License-Identifier: Apache-2.0
"""The parts that the gateway's routes use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.requests import HTTPConnection

from trireel_app.engine.database import open_database
from trireel_app.gateway.access.audit import AuditLog
from trireel_app.gateway.access.keys import KeyStore
from trireel_app.gateway.access.quota import Quota, RequestLimits
from trireel_app.gateway.access.sessions import SecretStore, Sessions
from trireel_app.gateway.chat_desk import ChatDesk
from trireel_app.gateway.clients import Clients
from trireel_app.gateway.metrics import Metrics
from trireel_app.gateway.servers import ServerWatch
from trireel_app.gateway.settings import GatewaySettings
from trireel_app.gateway.texts import Texts
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.uploads import Uploads
from trireel_app.jobs.usage import Usage
from trireel_app.library import Library


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What the routes use; one for each app."""

    settings: GatewaySettings
    """Settings of the gateway."""
    database: sa.Engine
    """Database of jobs, keys and events."""
    keys: KeyStore
    """Keys."""
    sessions: Sessions
    """Cookies of the page."""
    request_limits: RequestLimits
    """Limits by requests."""
    quota: Quota
    """Quota by seconds of video."""
    audit: AuditLog
    """Log of changes and rejections."""
    jobs: JobStore
    """Jobs."""
    uploads: Uploads
    """Videos of the owners."""
    keeper: Keeper
    """Library and index."""
    texts: Texts
    """Embeddings of texts and pictures."""
    chat: ChatDesk
    """Questions and their answers."""
    watch: ServerWatch
    """How the servers are."""
    metrics: Metrics
    """Metrics of this process."""
    clients: Clients
    """Clients of the servers, in the order of the settings."""


def opened(settings: GatewaySettings) -> Parts:
    """Return the parts of a gateway, and make tables that are missing.

    Raises:
        InvalidOption: if the address of the database, a server or the library cannot be used.
        LibraryError: if the database does not answer.
    """
    database = open_database(settings.database)
    jobs = JobStore(database)  # makes all tables
    uploads = Uploads(database)
    keeper = Keeper(Library(settings.library))
    clients = Clients(settings.servers)
    texts = Texts(clients, keeper.library)
    secret = settings.session_secret or SecretStore(database).secret("session")
    settings.uploads.mkdir(parents=True, exist_ok=True)
    return Parts(
        settings=settings,
        database=database,
        keys=KeyStore(database),
        sessions=Sessions(secret, settings.session_seconds),
        request_limits=RequestLimits(settings.limits),
        quota=Quota(Usage(database), uploads, settings.limits),
        audit=AuditLog(settings.audit_file),
        jobs=jobs,
        uploads=uploads,
        keeper=keeper,
        texts=texts,
        chat=ChatDesk(database, keeper, texts, clients, settings.chat),
        watch=ServerWatch(clients),
        metrics=Metrics(uploads),
        clients=clients,
    )


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Run what the parts need in the background, and close them at the end."""
    try:
        yield
    finally:
        await parts.clients.close()
        parts.audit.close()
        parts.database.dispose()


def parts(connection: HTTPConnection) -> Parts:
    """Return the parts of the app that got a request; a dependency."""
    found: Parts = connection.app.state.parts
    return found
