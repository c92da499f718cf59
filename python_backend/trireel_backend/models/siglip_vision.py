# SPDX-License-Identifier: Apache-2.0
"""The vision tower of an export, judged on this very machine where it runs in less than fp32."""

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

FEWER_ROWS = (1, 3, 7)
"""Batches of so few must give what larger ones do: a frame, and sizes no kernel was made for."""


def load_vision_tower(folder: Path, settings: TowerSettings) -> Tower:
    """Load `model.onnx` of a version folder.

    Raises:
        StartupError: the engine that is set cannot run here; in particular
        GateFailed: it computes in less than fp32, and on this CPU it does not see what the
            checkpoint sees, or not the same in batches of other sizes.
    """
    tower = Tower(folder / "model.onnx", settings)
    if settings.tower_engine in REDUCED_RUNTIMES:
        try:
            _check(tower, folder)
        except GateFailed as error:
            raise GateFailed(
                f"with tower_engine {settings.tower_engine!r} on this CPU {error}: take"
                f" {OPENVINO!r}, which computes in fp32"
            ) from error
    return tower


def _check(tower: Tower, folder: Path) -> None:
    metadata = load_metadata(folder / METADATA_FILE)
    known = load_gate(folder / GATE_FILE, metadata)
    bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
    embeddings = tower.run(known.frames)
    check_gate(known, embeddings, [bank.tags, bank.descriptions])
    some = sum(FEWER_ROWS)
    parts = np.split(known.frames[:some], np.cumsum(FEWER_ROWS)[:-1])
    few = KnownPictures(known.names[:some], known.frames[:some], embeddings[:some])
    check_alike(few, np.concatenate([tower.run(rows) for rows in parts]))
