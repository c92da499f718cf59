# SPDX-License-Identifier: Apache-2.0
"""Runs a bfloat16 graph on a machine that has no kernels for bfloat16.

onnxruntime has no such kernels for the CPU. Matrix units multiply bfloat16 numbers exactly and add
up in fp32. A graph does the same if its nodes compute in fp32 and round their results to bfloat16.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx

BFLOAT16, FLOAT = onnx.TensorProto.BFLOAT16, onnx.TensorProto.FLOAT


@contextmanager
def emulated(path: Path) -> Iterator[Path]:
    """Yield a graph beside `path` that computes the same in fp32, with the rounding of bfloat16.

    It uses the same file of weights if there is one. It is removed at the end.
    """
    model = onnx.shape_inference.infer_shapes(onnx.load(path, load_external_data=False))
    narrow = _bfloat16_names(model.graph)
    nodes: list[Any] = []
    widened: set[str] = set()
    for node in model.graph.node:
        if node.op_type == "Cast":
            nodes.append(node)
            continue
        for index, name in enumerate(node.input):
            if name in narrow:
                if name not in widened:
                    nodes.append(_cast(name, _wide(name), FLOAT))
                    widened.add(name)
                node.input[index] = _wide(name)
        rounded = []
        for index, name in enumerate(node.output):
            if name in narrow:
                node.output[index] = f"{name}_unrounded"
                rounded.append(_cast(node.output[index], name, BFLOAT16))
        nodes += [node, *rounded]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    target = path.with_name(f"{path.stem}.emulated.onnx")
    try:
        onnx.save(model, target)
        yield target
    finally:
        target.unlink(missing_ok=True)


def _bfloat16_names(graph: Any) -> set[str]:
    values = {value.name for value in graph.value_info if _element_type(value) == BFLOAT16}
    return values | {weights.name for weights in graph.initializer if weights.data_type == BFLOAT16}


def _element_type(value: Any) -> int:
    return int(value.type.tensor_type.elem_type)


def _wide(name: str) -> str:
    return f"{name}_wide"


def _cast(source: str, target: str, to: int) -> Any:
    return onnx.helper.make_node("Cast", [source], [target], to=to)
