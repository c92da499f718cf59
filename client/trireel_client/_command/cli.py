# SPDX-License-Identifier: Apache-2.0
"""The `trireel` command: results on stdout, everything else on stderr."""

import typer

from trireel_client._command.analyze import analyze
from trireel_client._command.plugins import CommandGroup
from trireel_client._command.status import status
from trireel_client.load_test.options import load_test

app = typer.Typer(
    cls=CommandGroup,
    help="Analyse videos with a Trireel server.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command()(analyze)
app.command()(status)
app.command("load-test")(load_test)
