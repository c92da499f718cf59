# SPDX-License-Identifier: Apache-2.0
"""The published graphs with our inputs and outputs: pictures as bytes in, small answers out.

Both published graphs take blue, green, red of -1 to 1. A detector returns a probability a pixel, in
fp32; the recognizer 18 710 of them for each 8 columns of a line. Here both steps are nodes, so a
server moves a quarter of the bytes of a picture, and a line's answer is a hundred numbers.
"""

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALF_RANGE = 127.5  # of a byte: 0..255 becomes -1..1
CHARACTERS_KEY = "character"
"""Key of the recognizer's metadata under which its characters are listed, one a line."""


def detector(published: onnx.ModelProto) -> onnx.ModelProto:
    """Return a text detector.

    FRAMES uint8 [N, H, W, 3] RGB, H and W multiples of 32, to TEXT_MAP uint8 [N, H, W], which is
    probability * 255.
    """
    frames = helper.make_tensor_value_info("FRAMES", TensorProto.UINT8, ["N", "H", "W", 3])
    text_map = helper.make_tensor_value_info("TEXT_MAP", TensorProto.UINT8, ["N", "H", "W"])
    probabilities = published.graph.output[0].name
    nodes = [
        helper.make_node("Squeeze", [probabilities], ["map_flat"], axes=[1]),
        helper.make_node("Mul", ["map_flat", "map_range"], ["map_scaled"]),
        helper.make_node("Add", ["map_scaled", "map_half"], ["map_raised"]),  # a cast cuts off
        helper.make_node("Cast", ["map_raised"], ["TEXT_MAP"], to=TensorProto.UINT8),
    ]
    constants = [_number("map_range", 255), _number("map_half", 0.5)]
    return _with_ends(published, frames, nodes, constants, [text_map])


def recognizer(published: onnx.ModelProto) -> onnx.ModelProto:
    """Return a text recognizer.

    LINES uint8 [N, 48, W, 3] RGB to CODES int32 [N, W / 8], the most probable code at each place,
    and CODE_SCORES fp32 [N, W / 8], its probability.
    """
    lines = helper.make_tensor_value_info("LINES", TensorProto.UINT8, ["N", 48, "W", 3])
    codes = helper.make_tensor_value_info("CODES", TensorProto.INT32, ["N", "T"])
    scores = helper.make_tensor_value_info("CODE_SCORES", TensorProto.FLOAT, ["N", "T"])
    probabilities = published.graph.output[0].name
    nodes = [
        helper.make_node("ArgMax", [probabilities], ["codes_wide"], axis=2, keepdims=0),
        helper.make_node("Cast", ["codes_wide"], ["CODES"], to=TensorProto.INT32),
        helper.make_node("ReduceMax", [probabilities], ["CODE_SCORES"], axes=[2], keepdims=0),
    ]
    return _with_ends(published, lines, nodes, [], [codes, scores])


def characters(published: onnx.ModelProto) -> list[str]:
    """Return the character of each code of a published recognizer.

    Raises:
        KeyError: if the graph lists no characters.
    """
    listed = {entry.key: entry.value for entry in published.metadata_props}[CHARACTERS_KEY]
    # Only "\n" separates: some of the characters count as line ends elsewhere.
    return ["", *listed.removesuffix("\n").split("\n"), " "]


def _with_ends(
    published: onnx.ModelProto,
    pictures: onnx.ValueInfoProto,
    last_nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    outputs: Sequence[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """Return a copy of a graph that begins with pictures as bytes and ends with other nodes."""
    model = onnx.ModelProto()
    model.CopyFrom(published)
    graph = model.graph
    first_nodes = [
        helper.make_node("Transpose", [pictures.name], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Gather", ["planes", "bgr"], ["planes_bgr"], axis=1),
        helper.make_node("Cast", ["planes_bgr"], ["levels"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["levels", "half_range"], ["levels_0_to_2"]),
        helper.make_node("Sub", ["levels_0_to_2", "middle"], [graph.input[0].name]),
    ]
    nodes = [*first_nodes, *graph.node, *last_nodes]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(nodes)
    graph.input.append(pictures)
    graph.output.extend(outputs)
    order = numpy_helper.from_array(np.array([2, 1, 0], np.int64), "bgr")
    numbers = [_number("half_range", HALF_RANGE), _number("middle", 1)]
    graph.initializer.extend([order, *numbers, *constants])
    # 18 710 characters, which lie beside the model.
    kept = [entry for entry in model.metadata_props if entry.key != CHARACTERS_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    return model


def _number(name: str, value: float) -> onnx.TensorProto:
    return numpy_helper.from_array(np.array(value, np.float32), name)
