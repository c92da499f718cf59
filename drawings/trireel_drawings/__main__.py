# SPDX-License-Identifier: Apache-2.0
"""Entry of `python -m trireel_drawings`."""

from trireel_drawings.cli import app

if __name__ == "__main__":  # drawing processes import this file as well
    app(prog_name="python -m trireel_drawings")
