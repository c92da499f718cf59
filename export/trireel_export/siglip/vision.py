# SPDX-License-Identifier: Apache-2.0
"""The vision tower as `vision.onnx`: FRAMES uint8 [N, S, S, 3] RGB -> EMBEDDINGS [N, D]."""

from pathlib import Path
from typing import Any

import torch

from trireel_export.siglip.checkpoint import Checkpoint
from trireel_export.siglip.graph import EXAMPLE_ROWS, write_graph
from trireel_export.siglip.layers import EncoderLayer, PoolingHead
from trireel_export.siglip.precision import FUSED_ATTENTION_OPSET
from trireel_schema.metadata import Normalisation
from trireel_schema.precision import Precision

INPUT = "FRAMES"
DTYPES = {
    Precision.FP32: torch.float32,
    Precision.FP16: torch.float16,
    Precision.BF16: torch.bfloat16,
}


class VisionTower(torch.nn.Module):
    """Turns pixels, as a video decoder returns them, into unit embeddings.

    The input is bytes: a batch has a quarter of the size of a float batch, and no caller can
    normalise twice. The encoder's matrix products are in the given precision; the patches, the
    tokens between layers, all norms, the pooling head and the L2 norm are fp32.
    """

    def __init__(
        self,
        model: Any,
        normalisation: Normalisation,
        precision: Precision = Precision.FP32,
        *,
        fused_attention: bool = False,
    ) -> None:
        super().__init__()
        mean, std = (
            torch.tensor(values, dtype=torch.float64).view(1, 3, 1, 1)
            for values in (normalisation.mean, normalisation.std)
        )
        # (pixel * rescale - mean) / std as one product and one sum
        self.scale = torch.nn.Buffer((normalisation.rescale_factor / std).float())
        self.offset = torch.nn.Buffer((-mean / std).float())
        self.patches = model.embeddings.patch_embedding
        self.positions = torch.nn.Buffer(model.embeddings.position_embedding.weight.detach())
        self.layers = torch.nn.ModuleList(
            EncoderLayer(layer, DTYPES[precision], fused_attention=fused_attention)
            for layer in model.encoder.layers
        )
        self.norm = model.post_layernorm
        self.head = PoolingHead(model.head)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Embed frames uint8 [N, S, S, 3] RGB as float32 [N, D] of unit length."""
        # The cast comes first: TensorRT knows no other operation on bytes.
        pixels = frames.float().permute(0, 3, 1, 2) * self.scale + self.offset
        tokens = self.patches(pixels).flatten(2).transpose(1, 2) + self.positions
        for layer in self.layers:
            tokens = layer(tokens)
        pooled = self.head(self.norm(tokens))
        unit: torch.Tensor = pooled / pooled.norm(dim=-1, keepdim=True)
        return unit


def write_vision(checkpoint: Checkpoint, path: Path, precision: Precision, *, opset: int) -> None:
    """Write the vision tower of a checkpoint as ONNX, with the precision typed into the graph."""
    tower = VisionTower(
        checkpoint.model.vision_model,
        checkpoint.normalisation,
        precision,
        fused_attention=opset >= FUSED_ATTENTION_OPSET,
    )
    side = checkpoint.image_size_px
    example = torch.zeros(EXAMPLE_ROWS, side, side, 3, dtype=torch.uint8)
    write_graph(tower.eval(), example, path, input_name=INPUT, opset=opset)
