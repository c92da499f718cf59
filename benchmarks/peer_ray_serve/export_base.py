# SPDX-License-Identifier: Apache-2.0
"""Export a checkpoint of base size with random weights: CACHE TARGET are the arguments."""

import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.peer_ray_serve.tower import BASE
from benchmarks.precision.checkpoints import make_checkpoint
from trireel_export.export import export


def main() -> None:
    """Write the export; the checkpoint itself is not kept."""
    cache, target = (Path(argument) for argument in sys.argv[1:])
    folder = Path(tempfile.mkdtemp(dir=cache))
    try:
        export(str(make_checkpoint(BASE, folder)), target, progress=print)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
