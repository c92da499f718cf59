# SPDX-License-Identifier: Apache-2.0
"""The command `trireel gateway`."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trireel_app import traces
from trireel_app.commands.errors import errors_as_sentences
from trireel_app.commands.library_options import DEFAULT_LIBRARY, LibraryRoot
from trireel_app.commands.options import Database, Urls
from trireel_app.engine.database import default_url
from trireel_app.errors import InvalidOption

if TYPE_CHECKING:
    from trireel_app.gateway.settings import GatewaySettings

DEFAULT_PORT = 8080
STOP_SECONDS = 10
DAY_SECONDS = 86_400.0


def gateway(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port; 0 for any free one.")
    ] = DEFAULT_PORT,
    bind: Annotated[
        str, typer.Option(help="Address to listen at; loopback by default.")
    ] = "127.0.0.1",
    library: LibraryRoot = DEFAULT_LIBRARY,
    database: Database = None,
    uploads: Annotated[
        Path,
        typer.Option(
            envvar="TRIREEL_UPLOADS", help="Folder of uploaded videos, which servers read too."
        ),
    ] = Path("uploads"),
    url: Urls = None,
    host_name: Annotated[
        list[str] | None,
        typer.Option(
            envvar="TRIREEL_HOST_NAMES",
            help="Name by which clients call this gateway; repeat it. Loopback's names are known.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            envvar="TRIREEL_ORIGINS",
            metavar="https://...",
            help="Other site whose pages may call this gateway with a key; repeat it.",
        ),
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Certificate chain, PEM.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Its private key, PEM.")
    ] = None,
    behind_tls: Annotated[
        bool, typer.Option("--behind-tls", help="A proxy before this gateway ends TLS.")
    ] = False,
    trust_proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="Proxy whose X-Forwarded-For is believed; repeat it."),
    ] = None,
    requests_per_minute: Annotated[
        int, typer.Option(min=1, help="Requests in a minute of one owner.")
    ] = 1200,
    video_hours_per_day: Annotated[
        float | None, typer.Option(min=0, help="Hours of video of one owner in 24 hours.")
    ] = None,
    max_upload_gib: Annotated[float, typer.Option(min=0.001, help="Largest file.")] = 8.0,
    own_questions: Annotated[
        bool,
        typer.Option(
            "--own-questions",
            help="Chat: the model that looks at pictures understands any question.",
        ),
    ] = False,
    chat_tokens: Annotated[
        int, typer.Option(min=4000, help="Tokens that a session of the chat may spend.")
    ] = 100_000,
    max_disk_gib: Annotated[
        float, typer.Option(min=0.001, help="All uploaded files; the oldest go if there are more.")
    ] = 100.0,
    keep_days: Annotated[
        float, typer.Option(min=0, help="Days for which videos and results are kept; 0: for ever.")
    ] = 30.0,
    webhook_network: Annotated[
        str, typer.Option(metavar="CIDR,...", help="Networks that webhooks may reach too.")
    ] = "",
    audit_file: Annotated[
        Path | None, typer.Option(help="File of the audit log; by default standard error.")
    ] = None,
    metrics_port: Annotated[
        int | None,
        typer.Option(
            min=1, max=65535, help="Second port for Prometheus, without a key: keep it private."
        ),
    ] = None,
) -> None:
    """Serve videos, results and search over HTTP, with a page for people, until Ctrl-C."""
    from trireel_app.chat.limits import ChatLimits
    from trireel_app.gateway.settings import LOOPBACK_HOSTS, GatewaySettings, Keeping, Limits

    with errors_as_sentences():
        if (tls_certificate is None) != (tls_key is None):
            raise InvalidOption("got one of --tls-certificate and --tls-key: give both or none")
        seconds_per_day = None if video_hours_per_day is None else video_hours_per_day * 3600
        settings = GatewaySettings(
            database=database or default_url(),
            library=library,
            uploads=uploads.resolve(),
            servers=tuple(url or ("127.0.0.1:8001",)),
            hosts=(*LOOPBACK_HOSTS, *(name.lower() for name in host_name or ())),
            origins=tuple(allow_origin or ()),
            is_secure=behind_tls or tls_certificate is not None,
            limits=Limits(
                requests_per_minute=requests_per_minute,
                video_seconds_per_day=seconds_per_day,
                upload_bytes=int(max_upload_gib * 2**30),
                disk_bytes=int(max_disk_gib * 2**30),
            ),
            chat=ChatLimits(own_questions=own_questions, session_tokens=chat_tokens),
            keeping=Keeping(video_seconds=keep_days * DAY_SECONDS or None),
            webhook_networks=webhook_network,
            audit_file=audit_file,
        )
        place = Place(bind, port, tls_certificate, tls_key, tuple(trust_proxy or ()), metrics_port)
        serve(settings, place)


@dataclass(frozen=True)
class Place:
    """Where a gateway listens."""

    bind: str = "127.0.0.1"
    """Address to listen at."""
    port: int = DEFAULT_PORT
    """Port; 0 for any free one."""
    certificate: Path | None = None
    """File of the certificate chain; None without TLS."""
    key: Path | None = None
    """File of the certificate's private key."""
    proxies: tuple[str, ...] = ()
    """Addresses of proxies whose X-Forwarded-For is believed."""
    metrics_port: int | None = None
    """Second port for Prometheus; None for none."""


def serve(settings: GatewaySettings, place: Place) -> None:
    """Serve a gateway until SIGINT or SIGTERM; requests in flight get ten seconds.

    Raises:
        InvalidOption: if an address cannot be used.
        LibraryError: if the database does not answer.
        OSError: if the port is taken, or a file cannot be read.
    """
    import socket

    import uvicorn
    from prometheus_client import start_http_server

    from trireel_app.gateway.app import make_app

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("trireel").setLevel(logging.INFO)
    traces.start("trireel-gateway")
    app = make_app(settings)
    if place.metrics_port is not None:
        registry = app.state.parts.metrics.registry
        start_http_server(place.metrics_port, place.bind, registry)
    family = socket.AF_INET6 if ":" in place.bind else socket.AF_INET
    address = (place.bind, place.port)
    with socket.create_server(address, family=family, backlog=2048) as listener:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            ssl_certfile=place.certificate,
            ssl_keyfile=place.key,
            proxy_headers=bool(place.proxies),
            forwarded_allow_ips=list(place.proxies),
            timeout_graceful_shutdown=STOP_SECONDS,
            timeout_keep_alive=30,
            h11_max_incomplete_event_size=64 << 10,
            ws_max_size=1 << 20,
        )
        scheme = "http" if place.certificate is None else "https"
        shown = f"[{place.bind}]" if ":" in place.bind else place.bind
        typer.echo(f"{scheme}://{shown}:{listener.getsockname()[1]}", err=True)
        server = uvicorn.Server(config)
        stop = server.shutdown

        async def shutdown(sockets: list[socket.socket] | None = None) -> None:
            app.state.parts.publisher.close()  # its listeners would wait for ever
            await stop(sockets)

        server.shutdown = shutdown  # type: ignore[method-assign]
        server.run([listener])
