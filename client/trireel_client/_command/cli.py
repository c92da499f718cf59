# SPDX-License-Identifier: Apache-2.0
"""The `trireel` command: results on stdout, everything else on stderr."""

from typing import Annotated

import typer

from trireel_client._command.analyze import analyze
from trireel_client._command.captions import captions
from trireel_client._command.json_option import JsonMayHaveValue
from trireel_client._command.plugins import CommandGroup
from trireel_client._command.status import status
from trireel_client._command.version import show_version
from trireel_client.load_test.options import load_test

app = typer.Typer(
    cls=CommandGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=show_version, help="Print the version."),
    ] = False,
) -> None:
    """Analyse videos with a Trireel server."""


app.command(cls=JsonMayHaveValue)(analyze)
app.command()(captions)
app.command()(status)
app.command("load-test")(load_test)
