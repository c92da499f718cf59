# SPDX-License-Identifier: Apache-2.0
"""A detector as `model.onnx`: FRAMES uint8 [N, H, W, 3] RGB -> BOXES, SCORES and LABELS."""

import copy
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx
import onnxruntime as ort
import torch
from torch import Tensor, nn

from trireel_export.detector.checkpoint import DetectorCheckpoint
from trireel_export.errors import InvalidGraph
from trireel_export.siglip.graph import (
    EXAMPLE_ROWS,
    EXTERNAL_DATA_ABOVE_BYTES,
    forget_origins,
    quiet,
)
from trireel_schema.detections import Detections
from trireel_schema.detector import DETECTOR_INPUT, DETECTOR_OUTPUTS
from trireel_schema.files import weights_file
from trireel_schema.precision import Precision

DYNAMO_OPSET = 20
"""Opset of graphs by torch's newer exporter."""
TRACED_OPSET = 17
"""Opset of graphs by the older exporter: the last one that it writes without conversion."""
TORCH_CHECK = "TRANSFORMERS_DISABLE_TORCH_CHECK"
"""Variable that removes checks of sizes, which have no counterpart in ONNX."""


class HalfPart(nn.Module):
    """A part in fp16 of a model in fp32: most of a detector's products are in its backbone.

    What follows stays in fp32: the boxes are sums of small steps, which fp16 would round away.
    """

    def __init__(self, part: Any) -> None:
        super().__init__()
        self.part = part.half()

    def forward(self, pixels: Tensor, mask: Tensor) -> Any:
        """Return the features of pixels [N, 3, H, W], in fp32."""
        return _to_fp32(self.part(pixels.half(), mask))


def _to_fp32(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.float() if value.dtype is torch.float16 else value
    return type(value)(_to_fp32(part) for part in value)


class DetectorGraph(nn.Module):
    """Turns pixels, as a video decoder returns them, into detections."""

    scale: Tensor
    shift: Tensor

    def __init__(
        self, checkpoint: DetectorCheckpoint, num_boxes: int, precision: Precision
    ) -> None:
        super().__init__()
        self.model = copy.deepcopy(checkpoint.model)
        if precision is Precision.FP16:
            self.model.model.backbone = HalfPart(self.model.model.backbone)
        self.classes = checkpoint.classes
        self.num_boxes = num_boxes
        scaling = checkpoint.preparation.normalisation
        mean, std = (
            torch.tensor(values).view(1, 3, 1, 1) for values in (scaling.mean, scaling.std)
        )
        self.register_buffer("scale", scaling.rescale_factor / std)
        self.register_buffer("shift", -mean / std)

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return BOXES [N, K, 4], SCORES [N, K] and LABELS [N, K] of frames [N, H, W, 3]."""
        pixels = frames.permute(0, 3, 1, 2).float() * self.scale + self.shift
        found = self.model(pixel_values=pixels)
        scores = found.logits.sigmoid().flatten(1)
        scores, best = scores.topk(self.num_boxes, dim=1)
        queries = torch.div(best, self.classes, rounding_mode="floor")
        labels = best - queries * self.classes
        boxes = found.pred_boxes.gather(1, queries.unsqueeze(-1).expand(-1, -1, 4))
        middle, half = boxes[..., :2], boxes[..., 2:] / 2
        corners = torch.cat([middle - half, middle + half], dim=-1).clamp(0, 1)
        return corners, scores, labels.to(torch.int32)


def write_detector_graph(
    checkpoint: DetectorCheckpoint, path: Path, num_boxes: int, precision: Precision
) -> int:
    """Write the graph with a free leading dimension N; return its opset.

    Large weights go to a file beside it, `<name>.onnx.data`.
    """
    sizes = checkpoint.preparation
    example = torch.zeros(EXAMPLE_ROWS, sizes.height_px, sizes.width_px, 3, dtype=torch.uint8)
    graph = DetectorGraph(checkpoint, num_boxes, precision).eval()
    by_dynamo = checkpoint.family.exports_by_dynamo
    write = _write_by_dynamo if by_dynamo else _write_by_tracing
    with _without_torch_checks(), quiet(), warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # of shapes that are constants, which they are
        write(graph, example, path)
    return DYNAMO_OPSET if by_dynamo else TRACED_OPSET


class DetectorSession:
    """An exported detector in onnxruntime on the CPU."""

    def __init__(self, path: Path) -> None:
        """Load the graph; raises InvalidGraph if onnxruntime rejects it."""
        try:
            self._session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a family of types without a base
            raise InvalidGraph(f"onnxruntime does not load {path.name}: {error}") from error

    def detect(self, frames: Any) -> Detections:
        """Return the detections of frames [N, H, W, 3] as one batch."""
        boxes, scores, labels = self._session.run(list(DETECTOR_OUTPUTS), {DETECTOR_INPUT: frames})
        return Detections(boxes, scores, labels)


def _write_by_dynamo(graph: nn.Module, example: Tensor, path: Path) -> None:
    program: Any = torch.onnx.export(
        graph,
        (example,),
        dynamo=True,
        verbose=False,
        opset_version=DYNAMO_OPSET,
        input_names=[DETECTOR_INPUT],
        output_names=list(DETECTOR_OUTPUTS),
        dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
    )
    forget_origins(program.model)
    program.save(str(path), external_data=_weights_bytes(graph) > EXTERNAL_DATA_ABOVE_BYTES)


def _write_by_tracing(graph: nn.Module, example: Tensor, path: Path) -> None:
    # The newer exporter fixes the batch size of these models.
    torch.onnx.export(
        graph,
        (example,),
        str(path),
        dynamo=False,
        opset_version=TRACED_OPSET,
        input_names=[DETECTOR_INPUT],
        output_names=list(DETECTOR_OUTPUTS),
        dynamic_axes={name: {0: "N"} for name in (DETECTOR_INPUT, *DETECTOR_OUTPUTS)},
    )
    model = onnx.load(str(path))
    for node in model.graph.node:
        node.doc_string = ""
    is_large = _weights_bytes(graph) > EXTERNAL_DATA_ABOVE_BYTES
    onnx.save_model(
        model,
        str(path),
        save_as_external_data=is_large,
        location=weights_file(path.name) if is_large else None,
    )


def _weights_bytes(graph: nn.Module) -> int:
    return sum(weight.nbytes for weight in graph.state_dict().values())


@contextmanager
def _without_torch_checks() -> Iterator[None]:
    before = os.environ.get(TORCH_CHECK)
    os.environ[TORCH_CHECK] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[TORCH_CHECK]
        else:
            os.environ[TORCH_CHECK] = before
