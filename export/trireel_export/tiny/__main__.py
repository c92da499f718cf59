# SPDX-License-Identifier: Apache-2.0
"""Entry of `python -m trireel_export.tiny`."""

from trireel_export.tiny.cli import app

if __name__ == "__main__":  # drawing processes import this file as well
    app(prog_name="python -m trireel_export.tiny")
