# SPDX-License-Identifier: Apache-2.0
"""The vision tower as `vision.onnx`: FRAMES uint8 [N, S, S, 3] RGB -> EMBEDDINGS [N, D]."""

from pathlib import Path
from typing import Any

import torch

from trireel_export.checkpoint import Checkpoint
from trireel_export.graph import EXAMPLE_ROWS, write_graph
from trireel_export.metadata import Normalisation

INPUT = "FRAMES"


class VisionTower(torch.nn.Module):
    """From pixels as a decoder gives them to unit embeddings.

    Bytes go in so that a quarter of a float batch travels, and nobody can normalise twice.
    """

    def __init__(self, model: Any, normalisation: Normalisation) -> None:
        super().__init__()
        self.model = model
        mean, std = (
            torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)
            for values in (normalisation.mean, normalisation.std)
        )
        # (pixel * rescale - mean) / std as one product and one sum
        self.scale = torch.nn.Buffer((normalisation.rescale_factor / std).float())
        self.offset = torch.nn.Buffer((-mean / std).float())

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Embed frames uint8 [N, S, S, 3] RGB as float32 [N, D] of unit length."""
        pixels = frames.permute(0, 3, 1, 2).float() * self.scale + self.offset
        pooled = self.model(pixel_values=pixels).pooler_output
        unit: torch.Tensor = pooled / pooled.norm(dim=-1, keepdim=True)
        return unit


def write_vision(checkpoint: Checkpoint, path: Path, *, opset: int) -> None:
    """Write the vision tower of a checkpoint as ONNX."""
    tower = VisionTower(checkpoint.model.vision_model, checkpoint.normalisation)
    side = checkpoint.image_size_px
    example = torch.zeros(EXAMPLE_ROWS, side, side, 3, dtype=torch.uint8)
    write_graph(tower.eval(), example, path, input_name=INPUT, opset=opset)
