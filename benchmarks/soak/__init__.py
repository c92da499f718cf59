# SPDX-License-Identifier: Apache-2.0
"""A server under full load with a mix of videos and faults, and its state afterwards."""

import sys
from pathlib import Path

# The makers of videos, of damaged files and of web servers are shared with the tests.
sys.path.append(str(Path(__file__).parents[2] / "tests"))
