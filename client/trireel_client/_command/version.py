# SPDX-License-Identifier: Apache-2.0
"""The option `--version`."""

from importlib.metadata import PackageNotFoundError, version

import typer

PACKAGE = "trireel-client"


def show_version(is_set: bool) -> None:
    """Print the version of this package and end the command, if the option is set."""
    if not is_set:
        return
    try:
        typer.echo(f"trireel {version(PACKAGE)}")
    except PackageNotFoundError as error:
        typer.echo(f"trireel: {PACKAGE} is not installed: pip install ./schema ./client", err=True)
        raise typer.Exit(1) from error
    raise typer.Exit
