# SPDX-License-Identifier: Apache-2.0
"""A warm-up of all that comes before the decoder.

The decoder of a DETR learns nothing as long as the places it starts from say nothing. So the
encoder's own heads are trained first, by a loss of each cell of the feature maps: which class has
its centre here, and how large is its box? The decoder then begins with the best of these boxes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from trireel_drawings.detection.pictures import HEIGHT_PX, WIDTH_PX, Truth

LEVEL_SIZES_PX = (32.0, 80.0)
"""Root of a box's area from which on it belongs to the next coarser map."""
CENTRE = 0.999  # a cell is a centre from this value of its bell on
NEAR = 1  # cells around a centre that learn the box as well
LEAST_BELL = 0.7  # standard deviation of a bell around a centre, in cells
BELL = 0.12  # the same as a share of the box's smaller side
BOX_WEIGHT = 2.0
SMALLEST = 1e-3  # of a side, as a share of the picture


@dataclass(frozen=True)
class Cells:
    """Answers of all cells of a D-FINE's feature maps, the finest map first."""

    logits: Tensor
    """[B, cells, classes]."""
    boxes: Tensor
    """[B, cells, 4] middle and sides, as fractions of the picture."""
    shapes: tuple[tuple[int, int], ...]
    """Rows and columns of each map."""


def encode(model: Any, pixels: Tensor) -> Cells:
    """Return the answers of the encoder's heads of a D-FINE for pixels [B, 3, H, W]."""
    inner = model.model
    mask = torch.ones(pixels.shape[0], *pixels.shape[2:])
    projected = [
        project(features)
        for project, (features, _) in zip(
            inner.encoder_input_proj, inner.backbone(pixels, mask), strict=True
        )
    ]
    maps = [
        project(features)
        for project, features in zip(
            inner.decoder_input_proj, inner.encoder(projected).last_hidden_state, strict=True
        )
    ]
    shapes = tuple((features.shape[-2], features.shape[-1]) for features in maps)
    anchors, valid = inner.generate_anchors(shapes, device=pixels.device, dtype=pixels.dtype)
    cells = torch.cat([features.flatten(2).transpose(1, 2) for features in maps], dim=1)
    memory = inner.enc_output(valid.to(cells.dtype) * cells)
    boxes = (inner.enc_bbox_head(memory) + anchors).sigmoid()
    return Cells(inner.enc_score_head(memory), boxes, shapes)


def dense_loss(cells: Cells, truths: Sequence[Truth]) -> Tensor:
    """Return the loss of all cells against the boxes of their pictures."""
    heat, boxes, near = _targets(cells, truths)
    found = cells.logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    centre = (heat >= CENTRE).float()
    focal = centre * (1 - found) ** 2 * found.log()
    focal = focal + (1 - centre) * (1 - heat) ** 4 * found**2 * (1 - found).log()
    classes = -focal.sum() / centre.sum().clamp(min=1)
    got, wanted = cells.boxes[near], boxes[near]
    sides = wanted[:, 2:].clamp(min=SMALLEST)
    moved = functional.smooth_l1_loss(
        (got[:, :2] - wanted[:, :2]) / sides, torch.zeros_like(sides), reduction="sum"
    )
    grown = functional.smooth_l1_loss(
        (got[:, 2:].clamp(min=SMALLEST) / sides).log(), torch.zeros_like(sides), reduction="sum"
    )
    total: Tensor = classes + BOX_WEIGHT * (4 * moved + grown) / near.sum().clamp(min=1)
    return total


def _targets(cells: Cells, truths: Sequence[Truth]) -> tuple[Tensor, Tensor, Tensor]:
    """Return bells [B, cells, classes], boxes [B, cells, 4] and the cells [B, cells] with a box."""
    heat, boxes = torch.zeros_like(cells.logits), torch.zeros_like(cells.boxes)
    near = torch.zeros(cells.boxes.shape[:2], dtype=torch.bool)
    starts = [0]
    for rows, columns in cells.shapes:
        starts.append(starts[-1] + rows * columns)
    for index, truth in enumerate(truths):
        shown = ~truth.hidden
        for box, label in zip(truth.boxes[shown].tolist(), truth.labels[shown], strict=True):
            left, top, right, bottom = box
            width, height = right - left, bottom - top
            size_px = (width * WIDTH_PX * height * HEIGHT_PX) ** 0.5
            level = sum(size_px >= limit for limit in LEVEL_SIZES_PX)
            here = slice(starts[level], starts[level + 1])
            bell, around = _bell(box, cells.shapes[level])
            heat[index, here, label] = torch.maximum(heat[index, here, label], bell)
            middle = torch.tensor([(left + right) / 2, (top + bottom) / 2, width, height])
            boxes[index, here][around] = middle
            near[index, here] |= around
    return heat, boxes, near


def _bell(box: Sequence[float], shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Return a bell around the middle of a box and the cells near it, both flat [cells]."""
    rows, columns = shape
    left, top, right, bottom = box
    column = min(columns - 1, int((left + right) / 2 * columns))
    row = min(rows - 1, int((top + bottom) / 2 * rows))
    width = max(LEAST_BELL, BELL * min((right - left) * columns, (bottom - top) * rows))
    y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    away = (x - column) ** 2 + (y - row) ** 2
    around = ((x - column).abs() <= NEAR) & ((y - row).abs() <= NEAR)
    return torch.exp(-away / (2 * width**2)).flatten(), around.flatten()
