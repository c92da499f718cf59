# SPDX-License-Identifier: Apache-2.0
"""The benchmarks are no package that is installed."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))
