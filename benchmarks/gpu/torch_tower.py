# SPDX-License-Identifier: Apache-2.0
"""The tower that loop.py wrote, compiled, for one batch of the frames of many requests."""

import json
import locale
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gpu.loop import (
    SETTINGS_FILE,
    TOWER_FILE,
    random_frames,
    set_attention_kernel,
    synchronize,
)
from benchmarks.gpu.process import BATCHES, MOST_FRAMES, SIZES


class TorchTower:
    """A compiled tower, and a pinned buffer from which a GPU copies a batch asynchronously."""

    def __init__(self, work: Path) -> None:
        """Load and compile the tower; its kernels are in the cache that the loop has filled."""
        # Triton's stub starts in the C locale, where torch cannot read its own templates.
        locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
        settings = json.loads((work / SETTINGS_FILE).read_text())
        self._device = settings["device"]
        size = SIZES[settings["size"]]
        torch.set_float32_matmul_precision("high")
        if self._device == "cuda":
            set_attention_kernel(settings["kernel"])
        module = torch.export.load(work / TOWER_FILE).module()
        self._tower: Any = torch.compile(module, dynamic=True)
        shape = (MOST_FRAMES, size.image_size_px, size.image_size_px, 3)
        self._staged = torch.empty(shape, dtype=torch.uint8, pin_memory=self._device == "cuda")
        warm = random_frames(size, MOST_FRAMES).numpy()
        for batch in BATCHES:
            self.run_together([warm[:batch]])

    def run_together(self, parts: Sequence[NDArray[np.uint8]]) -> list[NDArray[np.float32]]:
        """Run the rows of several requests as one batch; return the embeddings of each request."""
        ends = np.cumsum([len(part) for part in parts])
        staged = self._staged[: ends[-1]]
        for end, part in zip(ends, parts, strict=True):
            np.copyto(staged[end - len(part) : end].numpy(), part)
        with torch.no_grad():
            embeddings = self._tower(staged.to(self._device, non_blocking=True)).float()
        found = embeddings.cpu().numpy()
        synchronize(self._device)
        return np.split(found, ends[:-1])
