# SPDX-License-Identifier: Apache-2.0
"""A warm-up of backbone and encoder.

The decoder of a DETR learns nothing as long as its features say nothing. So they are trained first
by a loss of each cell: which class has its centre here, and how large is its box?
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from trireel_drawings.detection.pictures import Truth

CENTRE = 0.999  # a cell is a centre from this value of its bell on
NEAR = 1  # cells around a centre that learn the box as well
LEAST_BELL = 0.7  # standard deviation of a bell around a centre, in cells
BELL = 0.12  # the same as a share of the box's smaller side
RARE = -4.0  # start of the logits: centres are rare


class DenseHead(nn.Module):
    """Classes and boxes of every cell of a feature map."""

    def __init__(self, width: int, classes: int) -> None:
        """Start with the answer that no cell is a centre."""
        super().__init__()
        self.classes = nn.Conv2d(width, classes, 1)
        self.boxes = nn.Conv2d(width, 4, 1)
        if self.classes.bias is not None:
            nn.init.constant_(self.classes.bias, RARE)

    def loss(self, features: Tensor, truths: Sequence[Truth]) -> Tensor:
        """Return the loss of a feature map [B, C, H, W] against the boxes of its pictures."""
        rows, columns = features.shape[-2:]
        heat, boxes, near = _targets(truths, self.classes.out_channels, rows, columns)
        found = self.classes(features).sigmoid().clamp(1e-4, 1 - 1e-4)
        centre = (heat >= CENTRE).float()
        focal = centre * (1 - found) ** 2 * found.log()
        focal = focal + (1 - centre) * (1 - heat) ** 4 * found**2 * (1 - found).log()
        apart = functional.smooth_l1_loss(self.boxes(features), boxes, reduction="none").sum(dim=1)
        classes = -focal.sum() / centre.sum().clamp(min=1)
        total: Tensor = classes + (apart * near).sum() / near.sum().clamp(min=1)
        return total


def encode(model: Any, pixels: Tensor) -> Tensor:
    """Return the finest feature map [B, C, H, W] of a D-FINE's encoder."""
    mask = torch.ones(pixels.shape[0], *pixels.shape[2:])
    maps = model.model.backbone(pixels, mask)
    projected = [
        project(features)
        for project, (features, _) in zip(model.model.encoder_input_proj, maps, strict=True)
    ]
    finest: Tensor = model.model.encoder(projected).last_hidden_state[0]
    return finest


def _targets(
    truths: Sequence[Truth], classes: int, rows: int, columns: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return bells [B, classes, H, W], boxes [B, 4, H, W] and the cells [B, H, W] that have one."""
    heat = torch.zeros(len(truths), classes, rows, columns)
    boxes = torch.zeros(len(truths), 4, rows, columns)
    near = torch.zeros(len(truths), rows, columns)
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    cells = torch.tensor([columns, rows, columns, rows])
    for index, truth in enumerate(truths):
        shown = ~truth.hidden
        for box, label in zip(
            torch.from_numpy(truth.boxes[shown]) * cells, truth.labels[shown], strict=True
        ):
            left, top, right, bottom = box.tolist()
            centre_x, centre_y = (left + right) / 2, (top + bottom) / 2
            column, row = min(columns - 1, int(centre_x)), min(rows - 1, int(centre_y))
            bell = max(LEAST_BELL, BELL * min(right - left, bottom - top))
            away = (x - column) ** 2 + (y - row) ** 2
            heat[index, label] = torch.maximum(heat[index, label], torch.exp(-away / (2 * bell**2)))
            here = ((x - column).abs() <= NEAR) & ((y - row).abs() <= NEAR)
            near[index][here] = 1
            sizes = torch.tensor([right - left, bottom - top]).log()
            boxes[index, 0][here] = centre_x - x[here].float()
            boxes[index, 1][here] = centre_y - y[here].float()
            boxes[index, 2:, here] = sizes[:, None]
    return heat, boxes, near
