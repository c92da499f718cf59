# SPDX-License-Identifier: Apache-2.0
"""The two systems and their tower: set-up and command lines."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.ray_serve import on_ray
from benchmarks.common.record import ROOT
from benchmarks.common.server import EXPORT, Command, served
from benchmarks.common.stores import Store
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE, VISION_FILE

TOWERS = ("tiny", "base")
BASE = "base-patch16-224"
# Run in a process of its own, which frees its gigabytes. The checkpoint itself is not kept.
EXPORT_BASE = """
import sys, tempfile
from pathlib import Path
from benchmarks.common.towers import make_checkpoint
from trireel_export.export import export

name, cache, target = sys.argv[1:]
with tempfile.TemporaryDirectory(dir=cache) as folder:
    export(str(make_checkpoint(name, Path(folder))), Path(target), progress=print)
"""


@dataclass(frozen=True)
class Tower:
    """An export, as Trireel serves it."""

    export: Path

    @property
    def onnx(self) -> Path:
        """The graph of the vision tower; the pipeline on Ray Serve runs it too."""
        return self.export / VISION_FILE

    @property
    def bank(self) -> Path:
        """The texts and their embeddings."""
        return self.export / TEXT_BANK_FILE

    @property
    def size_px(self) -> int:
        """Width and height of the pictures."""
        return int(json.loads((self.export / METADATA_FILE).read_text())["image_size_px"])


def find_tower(name: str, cache: Path) -> Tower:
    """Return the bundled tower, or one of base size, whose export on first use takes minutes."""
    if name == "tiny":
        return Tower(EXPORT)
    export = cache / f"export-{BASE}"
    if not (export / METADATA_FILE).exists():
        print(f"Exporting {BASE} with random weights, once.", flush=True)
        command = [sys.executable, "-c", EXPORT_BASE, BASE, str(cache), str(export)]
        subprocess.run(command, check=True, cwd=ROOT)
    return Tower(export)


def trireel(tower: Tower, store: Store, media: Path, tower_engine: str) -> Command:
    """Return Trireel's command; all options but the runtime of the tower are defaults."""
    options = ["--export", str(tower.export), "--media", str(media), "--tower-engine", tower_engine]
    return served(*options, **store.environment)


@dataclass(frozen=True)
class Peer:
    """The options of the pipeline on Ray Serve."""

    python: Path
    extraction: str
    """`chunks`: an ffmpeg for each chunk; `video`: one for the whole video."""
    frame_px: int
    """Width and height that ffmpeg scales to; a second resize makes them the tower's size."""


def ray_serve(peer: Peer, tower: Tower, store: Store, temporary: Path) -> Command:
    """Return the command of the pipeline on Ray Serve."""
    arguments = ["--onnx", str(tower.onnx), "--bank", str(tower.bank)]
    arguments += ["--size-px", str(tower.size_px), "--frame-px", str(peer.frame_px)]
    arguments += ["--extraction", peer.extraction]
    module = "benchmarks.peer_ray_serve.peer.serve"
    return on_ray(peer.python, module, arguments, temporary, **store.environment)
