# SPDX-License-Identifier: Apache-2.0
"""Full load with a mix of videos and faults for as long as wanted, and what is left of it."""

import sys
from pathlib import Path

# The tests' makers of videos, of damage and of web servers serve here too.
sys.path.append(str(Path(__file__).parents[2] / "tests"))
