# SPDX-License-Identifier: Apache-2.0
"""Errors of a command as one sentence on stderr, with the exit status of their kind."""

from collections.abc import Iterator
from contextlib import contextmanager

import typer

from trireel_app.errors import AppError
from trireel_client import InvalidAddress, TrireelError
from trireel_client._command.sentences import sentence


@contextmanager
def errors_as_sentences() -> Iterator[None]:
    """Turn errors of this package and of the client into a sentence and an exit."""
    try:
        yield
    except InvalidAddress as error:
        raise typer.BadParameter(str(error), param_hint="--url") from error
    except AppError as error:
        typer.echo(f"trireel: {error}", err=True)
        raise typer.Exit(error.exit_status) from error
    except (TrireelError, OSError) as error:
        typer.echo(f"trireel: {sentence(error)}", err=True)
        raise typer.Exit(1) from error
