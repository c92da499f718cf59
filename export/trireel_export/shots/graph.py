# SPDX-License-Identifier: Apache-2.0
"""An ONNX graph, node by node, whose weights stay in a second file."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from trireel_schema.shots import Storage

OPSET = 18
IR_VERSION = 10  # what opset 18 to 21 need; onnxruntime 1.20 and TensorRT 10 read it


class Graph:
    """Nodes and constants of a graph that is being written."""

    def __init__(self, storages: Mapping[str, Storage], weights_file: str) -> None:
        """Begin an empty graph.

        Args:
            storages: the weights, by name, and their places in the second file.
            weights_file: name of the second file.
        """
        self._storages = storages
        self._weights_file = weights_file
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, onnx.TensorProto] = {}

    def weight(self, name: str) -> str:
        """Return a weight of the second file by its name."""
        storage = self._storages[name]
        if name not in self._constants:
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=storage.shape)
            tensor.data_location = TensorProto.EXTERNAL
            place = {
                "location": self._weights_file,
                "offset": storage.offset,
                "length": storage.bytes,
            }
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            self._constants[name] = tensor
        return name

    def constant(self, name: str, values: NDArray[Any]) -> str:
        """Return a constant that is part of the graph's own file."""
        self._constants[name] = numpy_helper.from_array(values, name)
        return name

    def ints(self, *values: int) -> str:
        """Return a constant vector of int64, such as a shape."""
        return self.constant(f"ints_{'_'.join(map(str, values))}", np.array(values, np.int64))

    def node(self, kind: str, *inputs: str, name: str | None = None, **attributes: Any) -> str:
        """Add a node with one output; return the output's name."""
        output = name or f"{kind.lower()}_{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(kind, inputs, [output], name=f"node_{output}", **attributes)
        )
        return output

    def split(self, value: str, sizes: Sequence[int], axis: int) -> list[str]:
        """Add a node that cuts a value into pieces of these sizes; return their names."""
        outputs = [f"split_{len(self._nodes)}_{index}" for index in range(len(sizes))]
        node = helper.make_node("Split", [value, self.ints(*sizes)], outputs, axis=axis)
        node.name = f"node_{outputs[0]}"
        self._nodes.append(node)
        return outputs

    def model(
        self, name: str, inputs: Sequence[onnx.ValueInfoProto], outputs: Sequence[Any]
    ) -> onnx.ModelProto:
        """Return the finished model."""
        graph = helper.make_graph(
            self._nodes, name, inputs, outputs, initializer=list(self._constants.values())
        )
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="trireel-export")
        model.ir_version = IR_VERSION
        return model
