# SPDX-License-Identifier: Apache-2.0
"""Writes a torch module as an ONNX file, and runs the file."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import torch
from numpy.typing import NDArray

from trireel_export.errors import InvalidGraph

OUTPUT = "EMBEDDINGS"
EXTERNAL_DATA_ABOVE_BYTES = 500_000_000  # a protobuf file cannot be larger than 2 GiB
EXAMPLE_ROWS = 2  # a single row would be taken for a constant
NOISY_LOGGERS = ("torch.onnx._internal.exporter._registration", "onnxscript.optimizer")


def write_graph(
    module: torch.nn.Module, example: torch.Tensor, path: Path, *, input_name: str, opset: int
) -> None:
    """Write `module` as ONNX with a free leading dimension N.

    Large weights go to a file beside it, `<name>.onnx.data`.

    Args:
        example: one input [EXAMPLE_ROWS, ...] of the real dtype and shape.
    """
    with quiet(), torch.no_grad():
        program: Any = torch.onnx.export(
            module,
            (example,),
            dynamo=True,
            verbose=False,
            opset_version=opset,
            input_names=[input_name],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("N", min=1)},),
        )
    forget_origins(program.model)
    weights_bytes = sum(p.nbytes for p in module.state_dict().values())
    program.save(str(path), external_data=weights_bytes > EXTERNAL_DATA_ABOVE_BYTES)


def check_graph(path: Path) -> None:
    """Raise InvalidGraph if the ONNX checker rejects a file."""
    try:
        onnx.checker.check_model(str(path), full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise InvalidGraph(f"{path.name} is not valid ONNX: {error}") from error


class Tower:
    """An exported tower in onnxruntime on the CPU."""

    def __init__(self, path: Path) -> None:
        try:
            self._session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises a family of types without a base
            raise InvalidGraph(f"onnxruntime does not load {path.name}: {error}") from error
        self._input = self._session.get_inputs()[0].name

    def run(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the embeddings [N, D] of the rows of a batch."""
        (embeddings,) = self._session.run([OUTPUT], {self._input: rows})
        return np.asarray(embeddings, np.float32)


def forget_origins(model: Any) -> None:
    """Remove the names of this machine's files from a graph of torch's exporter."""
    # The exporter stores a stack trace with each node: paths of this machine fill half the file.
    for graph in (model.graph, *(function.graph for function in model.functions.values())):
        for node in graph:
            node.metadata_props.clear()
            for value in node.outputs:
                value.metadata_props.clear()
        for value in (*graph.inputs, *graph.initializers.values()):
            value.metadata_props.clear()
        graph.metadata_props.clear()
    model.metadata_props.clear()


@contextmanager
def quiet() -> Iterator[None]:
    """Silence the exporter's warnings about operators that no SigLIP has and about its own code."""
    levels = {name: logging.getLogger(name).level for name in NOISY_LOGGERS}
    for name in NOISY_LOGGERS:
        logging.getLogger(name).setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            # torch calling its own deprecated function
            warnings.filterwarnings("ignore", r"`isinstance\(treespec, LeafSpec\)`", FutureWarning)
            yield
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
