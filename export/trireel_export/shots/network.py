# SPDX-License-Identifier: Apache-2.0
"""TransNetV2 (Souček and Lokoč, 2020) as an ONNX graph.

It computes what the package's PyTorch code computes. It is written anew because that code gathers
its bands with indices made for one batch size, and counts colours with a scatter that TensorRT has
only as a plugin. Every operation here treats the windows of a batch apart.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, helper

from trireel_export.shots.graph import Graph
from trireel_schema.shots import (
    FRAME_COLUMNS,
    FRAME_ROWS,
    FRAMES_SHAPE,
    WEIGHTS_FILE,
    WINDOW_FRAMES,
    Storage,
)

FILTERS = (16, 32, 64)
"""Filters of each branch in the three stacks."""
DILATIONS = (1, 2, 4, 8)
"""Distances in frames that the branches of a block look back and ahead."""
BATCH_NORM_EPSILON = 1e-3
NORM_EPSILON = 1e-12  # of torch.nn.functional.normalize
NEIGHBOURS = 50  # frames before and after a frame that it is compared with
COLOUR_STEPS = 8  # steps of each of R, G and B in a histogram


def transnet(storages: Mapping[str, Storage]) -> onnx.ModelProto:
    """Return the model: FRAMES uint8 [N, 100, 27, 48, 3] RGB -> SINGLE, MANY fp32 [N, 100].

    SINGLE is the probability that a frame is the last one of a shot, or the middle of a gradual
    transition; MANY that a frame belongs to a transition.

    Args:
        storages: the weights by their names in the package's state dict.
    """
    graph = Graph(storages, WEIGHTS_FILE)
    pixels = graph.node("Cast", "FRAMES", to=TensorProto.FLOAT, name="pixels")
    stacks = _stacks(graph, graph.node("Div", pixels, _number(graph, "byte", 255)))
    flat = graph.node("Transpose", stacks[-1].value, perm=[0, 2, 3, 1])
    flat = graph.node("Reshape", flat, graph.ints(-1, WINDOW_FRAMES, math.prod(stacks[-1].shape)))
    features = graph.node(
        "Concat", _colours(graph, pixels), _similarities(graph, stacks), flat, axis=2
    )
    hidden = graph.node("Relu", _linear(graph, features, "fc1"))
    for layer, name in (("cls_layer1", "SINGLE"), ("cls_layer2", "MANY")):
        logits = graph.node("Squeeze", _linear(graph, hidden, layer), graph.ints(2))
        graph.node("Sigmoid", logits, name=name)
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", WINDOW_FRAMES])
        for name in ("SINGLE", "MANY")
    ]
    frames = helper.make_tensor_value_info("FRAMES", TensorProto.UINT8, ["N", *FRAMES_SHAPE])
    return graph.model("TransNetV2", [frames], outputs)


@dataclass(frozen=True)
class Planes:
    """Features of every frame of a batch, as two-dimensional convolutions take them."""

    value: str
    """Name of the value [N * 100, filters, rows, columns]."""
    shape: tuple[int, int, int]
    """Filters, rows, columns."""


def _stacks(graph: Graph, scaled: str) -> list[Planes]:
    frames = graph.node("Reshape", scaled, graph.ints(-1, *FRAMES_SHAPE[1:]))
    frames = graph.node("Transpose", frames, perm=[0, 3, 1, 2])
    planes = Planes(frames, (3, FRAME_ROWS, FRAME_COLUMNS))
    stacks: list[Planes] = []
    for index, filters in enumerate(FILTERS):
        planes = _stack(graph, planes, f"SDDCNN.{index}.DDCNN", filters)
        stacks.append(planes)
    return stacks


def _stack(graph: Graph, planes: Planes, name: str, filters: int) -> Planes:
    """Two blocks with a shortcut past the second one; half as many rows and columns."""
    first = _block(graph, planes, f"{name}.0", filters)
    second = _block(graph, first, f"{name}.1", filters)
    joined = graph.node("Add", second.value, first.value)
    pooled = graph.node("AveragePool", joined, kernel_shape=[2, 2], strides=[2, 2])
    wide, rows, columns = first.shape
    return Planes(pooled, (wide, rows // 2, columns // 2))


def _block(graph: Graph, planes: Planes, name: str, filters: int) -> Planes:
    """Four branches: 3x3 within a frame, then 3 frames that lie 1, 2, 4 or 8 apart.

    Both are two-dimensional convolutions, for which the runtimes have faster kernels.
    """
    branches = {step: f"{name}.Conv3D_{step}.layers" for step in DILATIONS}
    _, rows, columns = planes.shape
    # The four read the same input: as one convolution they read it once.
    within = [graph.weight(f"{branch}.0.weight") for branch in branches.values()]
    kernels = graph.node("Squeeze", graph.node("Concat", *within, axis=0), graph.ints(2))
    spread = graph.node("Conv", planes.value, kernels, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    wide = 2 * filters * len(DILATIONS)
    spread = graph.node("Reshape", spread, graph.ints(-1, WINDOW_FRAMES, wide, rows * columns))
    spread = graph.node("Transpose", spread, perm=[0, 2, 1, 3])  # N, filters, frames, pixels
    pieces = graph.split(spread, [2 * filters] * len(DILATIONS), axis=1)
    across = [
        _across(graph, piece, f"{branch}.1.weight", step)
        for piece, (step, branch) in zip(pieces, branches.items(), strict=True)
    ]
    weights = [f"{name}.bn.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    normalised = graph.node(
        "BatchNormalization",
        graph.node("Concat", *across, axis=1),
        *map(graph.weight, weights),
        epsilon=BATCH_NORM_EPSILON,
    )
    frames = graph.node("Transpose", graph.node("Relu", normalised), perm=[0, 2, 1, 3])
    shape = (filters * len(DILATIONS), rows, columns)
    return Planes(graph.node("Reshape", frames, graph.ints(-1, *shape)), shape)


def _across(graph: Graph, piece: str, weight: str, step: int) -> str:
    """Join three frames that lie `step` apart."""
    kernels = graph.node("Squeeze", graph.weight(weight), graph.ints(4))
    return graph.node(
        "Conv",
        piece,
        kernels,
        kernel_shape=[3, 1],
        dilations=[step, 1],
        pads=[step, 0, step, 0],
    )


def _colours(graph: Graph, pixels: str) -> str:
    """Compare the colour histograms of frames: R, G and B in 8 steps each.

    A histogram is a product of two matrices of zeros and ones, which is exact in every precision.
    """
    step = _number(graph, "colour_step", 256 // COLOUR_STEPS)
    steps = graph.node("Floor", graph.node("Div", pixels, step))
    steps = graph.node("Reshape", steps, graph.ints(0, WINDOW_FRAMES, -1, 3))
    red, green, blue = graph.split(steps, [1, 1, 1], axis=3)
    eight = _number(graph, "colour_steps", COLOUR_STEPS)
    others = graph.node("Add", graph.node("Mul", green, eight), blue)
    reds = _one_hot(graph, red, COLOUR_STEPS)
    others = _one_hot(graph, others, COLOUR_STEPS**2)
    counts = graph.node("MatMul", graph.node("Transpose", reds, perm=[0, 1, 3, 2]), others)
    counts = graph.node("Reshape", counts, graph.ints(0, WINDOW_FRAMES, -1))
    return _compare(graph, counts, "color_hist_layer.fc")


def _one_hot(graph: Graph, steps: str, count: int) -> str:
    """[N, frames, pixels, 1] numbers -> [N, frames, pixels, count] zeros and ones."""
    numbers = graph.constant(f"numbers_{count}", np.arange(count, dtype=np.float32))
    return graph.node("Cast", graph.node("Equal", steps, numbers), to=TensorProto.FLOAT)


def _similarities(graph: Graph, stacks: list[Planes]) -> str:
    """Compare the mean features of frames."""
    means = [
        graph.node("ReduceMean", planes.value, graph.ints(2, 3), keepdims=0) for planes in stacks
    ]
    features = graph.node("Concat", *means, axis=1)
    count = sum(planes.shape[0] for planes in stacks)
    features = graph.node("Reshape", features, graph.ints(-1, WINDOW_FRAMES, count))
    projected = _linear(graph, features, "frame_sim_layer.projection")
    return _compare(graph, projected, "frame_sim_layer.fc")


def _compare(graph: Graph, features: str, name: str) -> str:
    """Compare each frame's features [N, frames, D] with those of its 50 neighbours on each side."""
    length = graph.node("ReduceL2", features, graph.ints(2), keepdims=1)
    least = _number(graph, "least_length", NORM_EPSILON)
    unit = graph.node("Div", features, graph.node("Max", length, least))
    cosines = graph.node("MatMul", unit, graph.node("Transpose", unit, perm=[0, 2, 1]))
    return graph.node("Relu", _linear(graph, _band(graph, cosines), name))


def _band(graph: Graph, square: str) -> str:
    """[N, T, T] -> [N, T, 101]: column j of row i is column i + j - 50, or 0 outside.

    Rows of length T + 1 begin one place further left each, once the matrix is read as one row.
    """
    width = 2 * NEIGHBOURS + 1
    padded = WINDOW_FRAMES + 2 * NEIGHBOURS
    # [T, T + 100]; read in rows that are one longer, every row has moved by one.
    wide = graph.node("Pad", square, graph.ints(0, 0, NEIGHBOURS, 0, 0, NEIGHBOURS))
    row = graph.node("Reshape", wide, graph.ints(0, WINDOW_FRAMES * padded))
    row = graph.node("Pad", row, graph.ints(0, 0, 0, WINDOW_FRAMES))
    shifted = graph.node("Reshape", row, graph.ints(0, WINDOW_FRAMES, padded + 1))
    return graph.node("Slice", shifted, graph.ints(0), graph.ints(width), graph.ints(2))


def _number(graph: Graph, name: str, value: float) -> str:
    return graph.constant(name, np.array(value, np.float32))


def _linear(graph: Graph, x: str, name: str) -> str:
    weight = graph.node("Transpose", graph.weight(f"{name}.weight"), perm=[1, 0])
    return graph.node("Add", graph.node("MatMul", x, weight), graph.weight(f"{name}.bias"))
