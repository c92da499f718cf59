# SPDX-License-Identifier: Apache-2.0
"""Commands of the app as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCRIPT = (
    "import typer; from trireel_app.commands.{name} import {name} as command;"
    " app = typer.Typer(pretty_exceptions_enable=False); app.command()(command); app()"
)


@contextmanager
def app_process(
    name: str, *arguments: str, folder: Path, **environment: str
) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a command until the end; yield it and the first line that it writes to stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(name=name), *map(str, arguments)],
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
    )
    assert process.stderr is not None
    try:
        yield process, process.stderr.readline().strip()
    finally:
        process.kill()
        process.communicate()
