# SPDX-License-Identifier: Apache-2.0
"""`python -m trireel_client`: the command `trireel`, even from a path that no script runs from."""

from trireel_client._command.cli import app

if __name__ == "__main__":
    app(prog_name="trireel")
