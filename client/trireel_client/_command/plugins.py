# SPDX-License-Identifier: Apache-2.0
"""Commands that other installed packages add to `trireel`.

A package adds a command by an entry point in the group `trireel.commands`. The entry point's name
is the command's name, and its object is a `typer.Typer` or a function with Typer's annotations:

    [project.entry-points."trireel.commands"]
    jobs = "trireel_app.jobs.command:app"

The package's code is imported only when its command runs. `trireel --help` names the package.
"""

from collections.abc import Callable
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

GROUP = "trireel.commands"


class PluginCommand(TyperCommand):
    """A command of another package, before it is loaded."""

    def __init__(self, name: str, origins: list[EntryPoint]) -> None:
        """Describe the command.

        Args:
            name: the command's name.
            origins: the entry points of that name; more than one is an error when it runs.
        """
        self.origins = origins
        packages = " and ".join(map(_package, origins))
        super().__init__(name, callback=None, help=f"Command of the package {packages}.")

    def load(self) -> Any:
        """Import the command; writes a sentence and raises typer.Exit if that fails."""
        first, *others = self.origins
        if others:
            packages = ", ".join(map(_package, self.origins))
            self._fail(f"is in more than one package ({packages}): uninstall all but one")
        try:
            return _command_of(first.load())
        except (Exception, SystemExit) as error:  # another package may raise anything
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self._fail(f"of the package {_package(first)} cannot be loaded: {reason}")

    def _fail(self, reason: str) -> None:
        typer.echo(f"trireel: the command {self.name!r} {reason}", err=True)
        raise typer.Exit(1)


class CommandGroup(TyperGroup):
    """The commands of this package and, after them, those of others."""

    @cached_property
    def plugins(self) -> dict[str, PluginCommand]:
        """The commands of other packages by name. A name of this package's commands is skipped."""
        found: dict[str, list[EntryPoint]] = {}
        for origin in entry_points(group=GROUP):
            if origin.name not in self.commands:
                found.setdefault(origin.name, []).append(origin)
        return {name: PluginCommand(name, found[name]) for name in sorted(found)}

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        return [*super().list_commands(ctx), *self.plugins]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, not loaded if it is another package's; None if there is none."""
        return super().get_command(ctx, cmd_name) or self.plugins.get(cmd_name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the name, the command and the arguments of a command that is to run."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command.load() if isinstance(command, PluginCommand) else command, rest


def _command_of(loaded: "typer.Typer | Callable[..., Any]") -> Any:
    if isinstance(loaded, typer.Typer):
        return get_command(loaded)
    if not callable(loaded):
        raise TypeError(f"got {loaded!r}, which is neither a typer.Typer nor a function")
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(loaded)
    return get_command(app)


def _package(origin: EntryPoint) -> str:
    return origin.dist.name if origin.dist else "that is not known"
