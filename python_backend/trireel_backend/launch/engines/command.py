# SPDX-License-Identifier: Apache-2.0
"""Command `scripts/build_engine`: the options of a build of TensorRT engines."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from trireel_backend.errors import StartupError
from trireel_backend.launch.engines.build import (
    MOST_OPTIMIZATION_LEVEL,
    OPTIMIZATION_LEVEL,
    WORKSPACE_MIB,
    Build,
    build_engines,
)
from trireel_backend.launch.engines.names import BatchSizes
from trireel_backend.launch.gate.command import MODEL
from trireel_backend.launch.signals import unwind_on_signals
from trireel_schema.detector import DETECTOR_MODEL
from trireel_schema.shots import SHOT_MODEL

MODELS = Path("/opt/trireel/model_repository")
TRITONSERVER = Path("/opt/tritonserver/bin/tritonserver")


def create_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="build_engine",
        description="Build the TensorRT engines of the models for this machine's GPU, and compare"
        " them with the checkpoints. Do nothing if they exist.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "--export", type=Path, default=Path("/export"), help="output folder of trireel-export"
    )
    parser.add_argument(
        "--engines", type=Path, default=Path("/engines"), help="folder of TensorRT engines"
    )
    parser.add_argument(
        "--batch-sizes",
        default=str(BatchSizes()),
        help="smallest:best:largest number of frames in a batch of the vision tower",
    )
    parser.add_argument(
        "--optimization-level",
        type=int,
        default=OPTIMIZATION_LEVEL,
        choices=range(MOST_OPTIMIZATION_LEVEL + 1),
        help="effort of TensorRT's search for fast kernels",
    )
    parser.add_argument(
        "--workspace-mib", type=int, default=WORKSPACE_MIB, help="GPU memory that a kernel may use"
    )
    models = (MODEL, SHOT_MODEL, DETECTOR_MODEL)
    parser.add_argument("--model", choices=models, help="build this engine alone")
    parser.add_argument("--detector", type=Path, help="folder of an object detector")
    parser.add_argument("--shots", type=Path, help="folder of the model for exact scenes")
    parser.add_argument("--force", action="store_true", help="build even if the engine exists")
    parser.add_argument("--models", type=Path, default=MODELS, help="folder of model folders")
    parser.add_argument(
        "--tritonserver",
        type=Path,
        default=TRITONSERVER,
        help="program that serves the engine to the gate",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return 0 if an engine has passed, otherwise print an error and return 1."""
    options = vars(create_parser().parse_args(argv))
    unwind_on_signals(1)  # a service that waits for the engine must not start without it
    try:
        sizes = BatchSizes.parse(options.pop("batch_sizes"))
        build_engines(Build(batch_sizes=sizes, **options))
    except (StartupError, OSError) as error:
        print(f"build_engine: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
