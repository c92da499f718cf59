# SPDX-License-Identifier: Apache-2.0
"""Uploads through a gateway: large, many at once, many listeners, and kills."""

import sys
from pathlib import Path

# PostgreSQL, and the clips, are those of the tests.
sys.path.append(str(Path(__file__).parents[2] / "tests"))
