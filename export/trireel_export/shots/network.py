# SPDX-License-Identifier: Apache-2.0
"""TransNetV2 (Souček and Lokoč, 2020) as an ONNX graph.

It computes what the package's PyTorch code computes. It is written anew because that code gathers
its bands with indices made for one batch size, and counts colours with a scatter that TensorRT has
only as a plugin. Every operation here treats the windows of a batch apart.
"""

from collections.abc import Mapping

import numpy as np
import onnx
from onnx import TensorProto, helper

from trireel_export.shots.graph import Graph
from trireel_schema.shots import FRAMES_SHAPE, WEIGHTS_FILE, WINDOW_FRAMES, Storage

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
    scaled = graph.node("Div", pixels, graph.constant("byte", np.array(255, np.float32)))
    x = graph.node("Transpose", scaled, perm=[0, 4, 1, 2, 3])  # N, RGB, frames, rows, columns
    stacks = []
    for index, filters in enumerate(FILTERS):
        x = _stack(graph, x, f"SDDCNN.{index}.DDCNN", filters)
        stacks.append(x)
    flat = graph.node("Transpose", x, perm=[0, 2, 3, 4, 1])
    flat = graph.node("Reshape", flat, graph.ints(0, WINDOW_FRAMES, -1))
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


def _stack(graph: Graph, x: str, name: str, filters: int) -> str:
    """Two blocks with a shortcut past the second one; half as many rows and columns."""
    first = graph.node("Relu", _block(graph, x, f"{name}.0", filters))
    second = graph.node("Relu", _block(graph, first, f"{name}.1", filters))
    joined = graph.node("Add", second, first)
    return graph.node("AveragePool", joined, kernel_shape=[1, 2, 2], strides=[1, 2, 2])


def _block(graph: Graph, x: str, name: str, filters: int) -> str:
    """Four branches: 3x3 within a frame, then 3 frames that lie 1, 2, 4 or 8 apart."""
    branches = {step: f"{name}.Conv3D_{step}.layers" for step in DILATIONS}
    # The four read the same input: as one convolution they read it once.
    within = [graph.weight(f"{branch}.0.weight") for branch in branches.values()]
    planes = graph.node(
        "Conv",
        x,
        graph.node("Concat", *within, axis=0),
        kernel_shape=[1, 3, 3],
        pads=[0, 1, 1, 0, 1, 1],
    )
    pieces = graph.split(planes, [2 * filters] * len(DILATIONS), axis=1)
    across = [
        graph.node(
            "Conv",
            piece,
            graph.weight(f"{branch}.1.weight"),
            kernel_shape=[3, 1, 1],
            dilations=[step, 1, 1],
            pads=[step, 0, 0, step, 0, 0],
        )
        for piece, (step, branch) in zip(pieces, branches.items(), strict=True)
    ]
    weights = [f"{name}.bn.{part}" for part in ("weight", "bias", "running_mean", "running_var")]
    return graph.node(
        "BatchNormalization",
        graph.node("Concat", *across, axis=1),
        *map(graph.weight, weights),
        epsilon=BATCH_NORM_EPSILON,
    )


def _colours(graph: Graph, pixels: str) -> str:
    """Compare the colour histograms of frames: R, G and B in 8 steps each.

    A histogram is a product of two matrices of zeros and ones, which is exact in every precision.
    """
    step = graph.constant("colour_step", np.array(256 // COLOUR_STEPS, np.float32))
    steps = graph.node("Floor", graph.node("Div", pixels, step))
    steps = graph.node("Reshape", steps, graph.ints(0, WINDOW_FRAMES, -1, 3))
    red, green, blue = graph.split(steps, [1, 1, 1], axis=3)
    eight = graph.constant("colour_steps", np.array(COLOUR_STEPS, np.float32))
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


def _similarities(graph: Graph, stacks: list[str]) -> str:
    """Compare the mean features of frames."""
    means = [
        graph.node("ReduceMean", stack, graph.ints(3, 4), keepdims=0, name=f"mean_{index}")
        for index, stack in enumerate(stacks)
    ]
    features = graph.node("Transpose", graph.node("Concat", *means, axis=1), perm=[0, 2, 1])
    projected = _linear(graph, features, "frame_sim_layer.projection")
    return _compare(graph, projected, "frame_sim_layer.fc")


def _compare(graph: Graph, features: str, name: str) -> str:
    """Compare each frame's features [N, frames, D] with those of its 50 neighbours on each side."""
    length = graph.node("ReduceL2", features, graph.ints(2), keepdims=1)
    least = graph.constant("least_length", np.array(NORM_EPSILON, np.float32))
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


def _linear(graph: Graph, x: str, name: str) -> str:
    weight = graph.node("Transpose", graph.weight(f"{name}.weight"), perm=[1, 0])
    return graph.node("Add", graph.node("MatMul", x, weight), graph.weight(f"{name}.bias"))
