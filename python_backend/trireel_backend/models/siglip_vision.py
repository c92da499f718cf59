# SPDX-License-Identifier: Apache-2.0
"""The vision tower of an export, checked on this machine if it runs in less than fp32."""

from pathlib import Path

import numpy as np

from trireel_backend.artifacts import load_gate, load_metadata, load_text_bank
from trireel_backend.errors import GateFailed
from trireel_backend.towers.gate import check_alike, check_gate
from trireel_backend.towers.runtimes import OPENVINO, REDUCED_RUNTIMES
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower
from trireel_schema.files import GATE_FILE, METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.pictures import KnownPictures

SMALL_BATCHES = (1, 3, 7)
"""Sizes of small batches that must give the same embeddings as large ones: one frame, and sizes
that kernels are not tuned for."""


def load_vision_tower(folder: Path, settings: TowerSettings) -> Tower:
    """Load `model.onnx` of a version folder.

    Raises:
        StartupError: if the configured runtime cannot run here.
        GateFailed: if the runtime computes in less than fp32, and its embeddings on this CPU differ
            from the checkpoint's, or differ between batches of other sizes.
    """
    tower = Tower(folder / "model.onnx", settings)
    if settings.tower_engine in REDUCED_RUNTIMES:
        try:
            _check(tower, folder)
        except GateFailed as error:
            raise GateFailed(
                f"with tower_engine {settings.tower_engine!r} on this CPU {error}: use"
                f" {OPENVINO!r}, which computes in fp32"
            ) from error
    return tower


def _check(tower: Tower, folder: Path) -> None:
    metadata = load_metadata(folder / METADATA_FILE)
    known = load_gate(folder / GATE_FILE, metadata)
    bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
    embeddings = tower.run(known.frames)
    check_gate(known, embeddings, [bank.tags, bank.descriptions])
    count = sum(SMALL_BATCHES)
    parts = np.split(known.frames[:count], np.cumsum(SMALL_BATCHES)[:-1])
    pictures = KnownPictures(known.names[:count], known.frames[:count], embeddings[:count])
    check_alike(pictures, np.concatenate([tower.run(rows) for rows in parts]))
