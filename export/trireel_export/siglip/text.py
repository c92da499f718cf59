# SPDX-License-Identifier: Apache-2.0
"""The text tower as `text.onnx`: INPUT_IDS int64 [N, L] -> EMBEDDINGS [N, D]."""

from pathlib import Path
from typing import Any

import torch

from trireel_export.siglip.checkpoint import Checkpoint
from trireel_export.siglip.graph import EXAMPLE_ROWS, write_graph

INPUT = "INPUT_IDS"


class TextTower(torch.nn.Module):
    """Turns token ids into unit embeddings, without an attention mask: SigLIP reads its padding."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        """Embed ids int64 [N, L], padded to L, as float32 [N, D] of unit length."""
        pooled = self.model(input_ids=input_ids).pooler_output
        unit: torch.Tensor = pooled / pooled.norm(dim=-1, keepdim=True)
        return unit


def write_text(checkpoint: Checkpoint, path: Path, *, opset: int) -> None:
    """Write the text tower of a checkpoint as ONNX."""
    example = torch.zeros(EXAMPLE_ROWS, checkpoint.text_length, dtype=torch.int64)
    tower = TextTower(checkpoint.model.text_model)
    write_graph(tower.eval(), example, path, input_name=INPUT, opset=opset)
