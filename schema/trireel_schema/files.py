# SPDX-License-Identifier: Apache-2.0
"""Names of the files in the output folder of `trireel-export`, and of the folders of the cache."""

import os
from pathlib import Path

METADATA_FILE = "metadata.json"
TEXT_BANK_FILE = "text_bank.npz"
CANARY_FILE = "canary.npz"
GATE_FILE = "gate.npz"
VISION_FILE = "vision.onnx"
TEXT_FILE = "text.onnx"
TOKENIZER_FILE = "tokenizer.json"
EXPORT_FILES = (
    METADATA_FILE,
    TEXT_BANK_FILE,
    CANARY_FILE,
    GATE_FILE,
    VISION_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
)
"""The files that every export has."""


def cache_folder(name: str) -> Path:
    """Return this user's folder for files that can be made again: exports, text banks."""
    root = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(root) / "trireel" / name


def weights_file(graph: str) -> str:
    """Return the name of the file that holds the weights of a graph too large for one file."""
    return f"{graph}.data"
