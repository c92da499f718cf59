# SPDX-License-Identifier: Apache-2.0
"""The tower that both systems serve: the bundled one, or one of base size with random weights."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE, VISION_FILE

ROOT = Path(__file__).parents[2]
BASE = "base-patch16-224"
TOWERS = ("tiny", "base")


@dataclass(frozen=True)
class Tower:
    """An export, as Trireel serves it."""

    export: Path

    @property
    def onnx(self) -> Path:
        """The vision tower, which the pipeline on Ray Serve runs too."""
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
    """Return a tower; that of base size is exported on first use, which takes minutes."""
    if name == "tiny":
        return Tower(ROOT / "export/tiny/model")
    export = cache / f"export-{BASE}"
    if not (export / METADATA_FILE).exists():
        print(f"Exporting {BASE} with random weights, once.", flush=True)
        # In a process of its own, which gives back its gigabytes.
        own = "benchmarks.peer_ray_serve.export_base"
        subprocess.run([sys.executable, "-m", own, str(cache), str(export)], check=True, cwd=ROOT)
    return Tower(export)
