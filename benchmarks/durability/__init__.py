# SPDX-License-Identifier: Apache-2.0
"""Jobs of many videos: kills in the middle, the price of durability, throughput."""

import sys
from pathlib import Path

# The makers of videos and the database server are shared with the tests.
sys.path.append(str(Path(__file__).parents[2] / "tests"))
