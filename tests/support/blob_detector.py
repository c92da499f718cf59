# SPDX-License-Identifier: Apache-2.0
"""A detector without training: an ONNX graph that finds the extents of red, green and blue.

Of each colour it finds one box, around all pixels of the colour, as exact as the frame is.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_GRAPH_FILE,
    DetectorMetadata,
    Fit,
    write_detector,
)
from trireel_schema.precision import Precision

LABELS = ("red", "green", "blue")
SCORE = 0.9
LEAST_LEAD = 100  # of a colour over the two others, in 8-bit steps


def write_blob_detector(
    folder: Path, *, width_px: int = 128, height_px: int = 96, fit: Fit = Fit.SQUASH
) -> DetectorMetadata:
    """Write a detector's folder, as `trireel-export detector` does."""
    metadata = DetectorMetadata(
        checkpoint="blobs",
        architecture="none",
        weights_sha256=f"{width_px}x{height_px} {fit}",
        labels=LABELS,
        width_px=width_px,
        height_px=height_px,
        fit=fit,
        num_boxes=len(LABELS),
        threshold=0.5,
        opset=17,
        precision=Precision.FP32,
        versions={},
        note="It finds colours only.",
    )
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(_model(width_px, height_px), folder / DETECTOR_GRAPH_FILE)
    write_detector(metadata, folder / DETECTOR_FILE)
    return metadata


def _model(width_px: int, height_px: int) -> onnx.ModelProto:
    constants = {
        "lead": np.float32(LEAST_LEAD),
        "score": np.float32(SCORE),
        "others": 1 - np.eye(3, dtype=np.float32),
        "labels": np.arange(3, dtype=np.int32)[None],
        "across": np.arange(width_px, dtype=np.float32)[None, :, None] / width_px,
        "down": np.arange(height_px, dtype=np.float32)[None, :, None] / height_px,
        "column": np.float32(1 / width_px),
        "row": np.float32(1 / height_px),
        "one": np.float32(1),
        "axis": np.array([2], np.int64),
        "last": np.array([4], np.int64),
    }
    nodes = [
        _node("Cast", ["FRAMES"], "pixels", to=TensorProto.FLOAT),
        # A pixel has the colour that leads over the larger one of the two others.
        *_largest_of_others(),
        _node("Sub", ["pixels", "rival"], "leads"),
        _node("Greater", ["leads", "lead"], "is_colour"),
        _node("Cast", ["is_colour"], "mask", to=TensorProto.FLOAT),
        _node("ReduceMax", ["mask"], "columns", axes=[1], keepdims=0),
        _node("ReduceMax", ["mask"], "rows", axes=[2], keepdims=0),
        *_extent("columns", "across", "column", "left", "right"),
        *_extent("rows", "down", "row", "top", "bottom"),
        _node("Concat", ["left", "top", "right", "bottom"], "BOXES", axis=2),
        _node("ReduceMax", ["columns"], "found", axes=[1], keepdims=0),
        _node("Mul", ["found", "score"], "SCORES"),
        _node("Cast", ["SCORES"], "whole", to=TensorProto.INT32),
        _node("Mul", ["whole", "zero"], "zeros"),
        _node("Add", ["zeros", "labels"], "LABELS"),
    ]
    constants["zero"] = np.array(0, np.int32)
    frames = helper.make_tensor_value_info(
        "FRAMES", TensorProto.UINT8, ["N", height_px, width_px, 3]
    )
    outputs = [
        helper.make_tensor_value_info("BOXES", TensorProto.FLOAT, ["N", 3, 4]),
        helper.make_tensor_value_info("SCORES", TensorProto.FLOAT, ["N", 3]),
        helper.make_tensor_value_info("LABELS", TensorProto.INT32, ["N", 3]),
    ]
    initializers = [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()]
    graph = helper.make_graph(nodes, "blobs", [frames], outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _node(kind: str, inputs: list[str], output: str, **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def _largest_of_others() -> list[onnx.NodeProto]:
    """Return nodes that give each channel the largest value of the two other channels."""
    return [
        _node("Unsqueeze", ["pixels", "last"], "row_of_channels"),
        _node("Mul", ["row_of_channels", "others"], "other_channels"),
        _node("ReduceMax", ["other_channels"], "rival", axes=[3], keepdims=0),
    ]


def _extent(mask: str, places: str, step: str, low: str, high: str) -> list[onnx.NodeProto]:
    """Return nodes that find the first and the last place of a mask [N, places, 3]: [N, 3, 1]."""
    return [
        _node("Sub", ["one", mask], f"{mask}_empty"),
        _node("Add", [f"{mask}_empty", places], f"{mask}_low"),  # empty ones lie beyond 1
        _node("ReduceMin", [f"{mask}_low"], f"{low}_flat", axes=[1], keepdims=0),
        _node("Unsqueeze", [f"{low}_flat", "axis"], low),
        _node("Mul", [mask, places], f"{mask}_high"),
        _node("ReduceMax", [f"{mask}_high"], f"{high}_flat", axes=[1], keepdims=0),
        _node("Add", [f"{high}_flat", step], f"{high}_end"),
        _node("Unsqueeze", [f"{high}_end", "axis"], high),
    ]
