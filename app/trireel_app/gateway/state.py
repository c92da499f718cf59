# SPDX-License-Identifier: Apache-2.0
"""The parts that the gateway's routes use."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from starlette.requests import HTTPConnection

from trireel_app.engine.database import open_database
from trireel_app.errors import InvalidOption
from trireel_app.gateway.access.audit import AuditLog
from trireel_app.gateway.access.keys import KeyStore
from trireel_app.gateway.access.quota import Quota, RequestLimits
from trireel_app.gateway.access.sessions import SecretStore, Sessions
from trireel_app.gateway.chat_desk import ChatDesk
from trireel_app.gateway.chores import Chores
from trireel_app.gateway.clients import Clients
from trireel_app.gateway.intake.accept import Intake
from trireel_app.gateway.intake.folder import UploadFolder
from trireel_app.gateway.intake.tus import TusUploads
from trireel_app.gateway.live import Publisher
from trireel_app.gateway.metrics import Metrics
from trireel_app.gateway.servers import ServerWatch
from trireel_app.gateway.settings import GatewaySettings
from trireel_app.gateway.texts import Texts
from trireel_app.gateway.webhooks.addresses import WebhookRules
from trireel_app.gateway.webhooks.deliver import Webhooks
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.events import EventLog
from trireel_app.jobs.retained import Retained
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.uploads import Uploads
from trireel_app.jobs.usage import Usage
from trireel_app.jobs.watched_jobs import WatchedJobs
from trireel_app.jobs.webhook_calls import WebhookCalls
from trireel_app.library import Library
from trireel_schema.networks import networks_of

LOGGER = logging.getLogger("trireel.gateway")
AGAIN_SECONDS = 5.0


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
    intake: Intake
    """Takes videos in, and has their jobs and files."""
    tus: TusUploads
    """Uploads in pieces."""
    publisher: Publisher
    """Gives events to listeners."""
    webhooks: Webhooks
    """Calls of webhooks."""
    chores: Chores
    """Removes what has been kept long enough."""
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
    secrets = SecretStore(database)
    secret = settings.session_secret or secrets.secret("session")
    events = EventLog(database)
    calls = WebhookCalls(database)
    intake = _intake(settings, uploads, WatchedJobs(jobs, uploads, events, settings.library))
    retained = Retained(jobs)
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
        intake=intake,
        tus=TusUploads(intake),
        publisher=Publisher(events, uploads),
        webhooks=Webhooks(calls, uploads, intake.webhooks, secrets.secret("webhooks")),
        chores=Chores(retained, intake, keeper, calls, settings.keeping),
        clients=clients,
    )


def _intake(settings: GatewaySettings, uploads: Uploads, jobs: WatchedJobs) -> Intake:
    limits = settings.limits
    try:
        folder = UploadFolder(settings.uploads, uploads, limits.disk_bytes, limits.disk_free_bytes)
        networks = networks_of(settings.webhook_networks)
    except OSError as error:
        raise InvalidOption(f"the folder {str(settings.uploads)!r} cannot be made") from error
    except ValueError as error:
        raise InvalidOption(f"the networks of webhooks: {error}: give 10.1.0.0/16") from error
    return Intake(
        uploads,
        jobs,
        folder,
        WebhookRules(networks),
        limits.upload_bytes,
        settings.keeping.video_seconds,
    )


@asynccontextmanager
async def running(parts: Parts) -> AsyncIterator[None]:
    """Run what the parts need in the background, and close them at the end."""
    work = [parts.publisher.run, parts.webhooks.run, parts.chores.run]
    tasks = [asyncio.ensure_future(_steadily(each)) for each in work]
    try:
        yield
    finally:
        parts.publisher.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await parts.clients.close()
        parts.audit.close()
        parts.database.dispose()


async def _steadily(work: Callable[[], Awaitable[None]]) -> None:
    """Do work in the background; a fault of ours is logged, and the work begins again."""
    while True:
        try:
            await work()
        except Exception:
            LOGGER.exception("work in the background has failed")
            await asyncio.sleep(AGAIN_SECONDS)


def parts(connection: HTTPConnection) -> Parts:
    """Return the parts of the app that got a request; a dependency."""
    found: Parts = connection.app.state.parts
    return found
