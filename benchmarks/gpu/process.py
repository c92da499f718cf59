# SPDX-License-Identifier: Apache-2.0
"""Shared by the measuring processes: their options, and a line of JSON for each result."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.common.towers import SO400M, TINY

BATCHES = (16, 64, 256)
"""Frames in a request, and in a pass of the plain loop."""
MOST_FRAMES = max(BATCHES)
SIZES = {size.name: size for size in (SO400M, TINY)}


def report(**found: Any) -> None:
    """Print results for the driver."""
    print(json.dumps(found), flush=True)


def read_options(description: str | None) -> argparse.Namespace:
    """Return the options that the driver gives."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runtime", choices=["torch", "onnxruntime"], required=True)
    parser.add_argument("--size", choices=SIZES, required=True)
    parser.add_argument("--device", choices=["cuda", "cpu"], required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--instances", type=int, required=True)
    parser.add_argument("--onnx", type=Path, required=True)
    return parser.parse_args()
