# SPDX-License-Identifier: Apache-2.0
"""The client that a command uses, and its errors as one sentence on stderr."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

import typer

from trireel_client._cli_options import ProtocolName, TlsOptions
from trireel_client._command.sentences import sentence

if TYPE_CHECKING:
    from trireel_client import TrireelClient


@contextmanager
def errors_as_sentences(options: Mapping[str, str] = MappingProxyType({})) -> Iterator[None]:
    """End with an error's message in the words of the command.

    Args:
        options: options by the names of their tensors, if the command's differ from others'.
    """
    from trireel_client import InvalidAddress, TrireelError

    try:
        yield
    except InvalidAddress as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error
    except BrokenPipeError:  # the reader has closed: typer ends silently
        raise
    except (TrireelError, OSError) as error:
        typer.echo(f"trireel: {sentence(error, options)}", err=True)
        raise typer.Exit(1) from error


def connected_client(
    url: str | None,
    protocol: ProtocolName,
    seconds: float,
    tls: TlsOptions | None,
    attempts: int | None = None,
) -> TrireelClient:
    # gRPC's own log would mix with our one sentence. gRPC reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from trireel_client import Retry, Timeout, Tls, TrireelClient
    from trireel_client._config import DEFAULT_CONNECT_SECONDS

    try:
        timeout = Timeout(min(DEFAULT_CONNECT_SECONDS, seconds), seconds)
    except ValueError as error:  # more than there is, or NaN
        raise typer.BadParameter(str(error), param_hint="--timeout") from error
    retries = None if attempts is None else Retry(attempts)
    return TrireelClient(
        url,
        protocol=protocol.value,
        timeout=timeout,
        retries=retries,
        tls=None if tls is None else Tls(**tls),
    )
