# SPDX-License-Identifier: Apache-2.0
"""The command `trireel status`."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import typer

from trireel_client._cli_options import (
    CaFile,
    CertificateFile,
    KeyFile,
    ProtocolName,
    ProtocolOption,
    ServerName,
    TlsOption,
    Url,
    tls_options,
)
from trireel_client._command.connect import connected_client, errors_as_sentences
from trireel_client._errors import RequestError

if TYPE_CHECKING:
    from trireel_client._client import TrireelClient
    from trireel_client._servers import ServerDetails

MODELS = (
    "video_analysis",
    "video_analysis_stream",
    "video_chunk",
    "frame_chunk",
    "chunk_encoder",
    "frame_extractor",
    "siglip_vision",
    "siglip_text",
    "temporal_decoder",
    "server_info",
)
DETAILS = "server_info"
"""The model that describes the server."""
STATUS_SECONDS = 5.0


def status(
    url: Url = None,
    protocol: ProtocolOption = ProtocolName.GRPC,
    tls: TlsOption = False,
    ca_file: CaFile = None,
    certificate_file: CertificateFile = None,
    key_file: KeyFile = None,
    server_name: ServerName = None,
) -> None:
    """Show the server and which of its models are ready; exits with 1 if one is not."""
    from rich.console import Console

    from trireel_client._command.show_status import show_status
    from trireel_client._config import DEFAULT_URLS

    tls_settings = tls_options(tls, ca_file, certificate_file, key_file, server_name)
    with (
        errors_as_sentences(),
        connected_client(url, protocol, STATUS_SECONDS, tls_settings, attempts=1) as client,
    ):
        server = client.server_info()
        models = {model: client.is_ready(model) for model in MODELS}
        ready = client.is_ready()
        details = _details(client) if models[DETAILS] else None
        address = url or DEFAULT_URLS[protocol.value]
        show_status(Console(), address, server, ready, models, details)
    # An older server has no model that tells what it is, and answers all the same.
    if not (ready and all(is_ready for model, is_ready in models.items() if model != DETAILS)):
        raise typer.Exit(1)


def _details(client: TrireelClient) -> ServerDetails | None:
    with suppress(RequestError):
        return client.server_details()
    return None
