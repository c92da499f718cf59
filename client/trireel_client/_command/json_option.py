# SPDX-License-Identifier: Apache-2.0
"""The option `--json`, which may have a value."""

from typing import Any

from typer.core import TyperCommand

JSON = "--json="
NAMES = "--json-names"
END_OF_OPTIONS = "--"


class JsonMayHaveValue(TyperCommand):
    """A command with `--json` and `--json=NAMES`; `--json FILE` leaves FILE an argument."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Make `--json=NAMES` two options."""
        end = args.index(END_OF_OPTIONS) if END_OF_OPTIONS in args else len(args)
        expanded: list[str] = []
        for argument in args[:end]:
            if argument.startswith(JSON):
                expanded += [JSON.removesuffix("="), NAMES, argument.removeprefix(JSON)]
            else:
                expanded.append(argument)
        return super().parse_args(ctx, [*expanded, *args[end:]])
