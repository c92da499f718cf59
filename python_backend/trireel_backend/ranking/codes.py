# SPDX-License-Identifier: Apache-2.0
"""Unit vectors as int8 codes, multiplied in onnxruntime, with a bound on the rounding error."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

ROWS_AT_ONCE = 512  # rows coded together: as many as fit into a cache
ROUNDING = 1e-5  # error of a cosine in float32, in any order of summation
TEXT_STEPS = 127  # of a text's code on either side of 0
# Of a picture's code. Kernels without VNNI add two products in 16 bits: 2 * 127 * 127 must fit.
PICTURE_STEPS = 63
PICTURE_ZERO = 64
OPSET = 20
IR_VERSION = 9


class Codes:
    """Codes of unit vectors, and the distance of each vector from its code."""

    def __init__(self, embeddings: NDArray[np.float32]) -> None:
        """Code embeddings [m, D]; takes a quarter of their memory, and twice that while coding."""
        count, width = embeddings.shape
        self._steps = np.empty(count, np.float32)
        self._errors = np.empty(count, np.float32)
        codes = np.empty((width, count), np.int8)
        for start in range(0, count, ROWS_AT_ONCE):
            block = slice(start, start + ROWS_AT_ONCE)
            rows = embeddings[block]
            steps = np.maximum(np.abs(rows).max(axis=1), np.finfo(np.float32).tiny) / TEXT_STEPS
            rounded = np.rint(rows / steps[:, None])
            self._steps[block] = steps
            self._errors[block] = np.linalg.norm(rows - rounded * steps[:, None], axis=1)
            codes[:, block] = rounded.astype(np.int8).T
        self._session = _session(codes)

    def bounds(
        self, embeddings: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return lower and upper bounds of the cosines of embeddings [q, D], [q, m] each.

        The embeddings have a length of at most 1.
        """
        picture = _PictureCodes.of(embeddings)
        (products,) = self._session.run(None, {"PICTURES": picture.codes})
        # In place if possible: new memory for each of these costs as much as the sums.
        parts = products.astype(np.float32)
        parts *= picture.steps[:, None]
        cosines, fine = np.split(parts, 2)
        cosines += fine
        cosines *= self._steps
        # |t.x - t'.x'| <= |t - t'| |x| + |t'| |x - x'|, and |t'| is hardly more than 1.
        slack = np.outer(picture.lengths, self._errors)
        slack += (2 * picture.errors + ROUNDING)[:, None]
        most = cosines + slack
        cosines -= slack
        return cosines, most


@dataclass(frozen=True)
class _PictureCodes:
    """Embeddings of pictures in two bytes per value: a coarse code, and a code of its remainder."""

    codes: NDArray[np.uint8]
    """[2 q, D] coarse codes of all embeddings, then the fine codes."""
    steps: NDArray[np.float32]
    """[2 q] step of each code."""
    lengths: NDArray[np.float32]
    """[q] lengths of the embeddings."""
    errors: NDArray[np.float32]
    """[q] length of the remainder that neither code represents."""

    @classmethod
    def of(cls, embeddings: NDArray[np.float32]) -> "_PictureCodes":
        rest = embeddings.astype(np.float64)
        lengths = np.linalg.norm(rest, axis=1)
        step = np.maximum(np.abs(rest).max(axis=1, keepdims=True), 1e-30) / PICTURE_STEPS
        codes, steps = [], []
        for _ in range(2):
            rounded = np.rint(rest / step)
            rest = rest - rounded * step
            codes.append((rounded + PICTURE_ZERO).astype(np.uint8))
            steps.append(step[:, 0])
            step = step / (2 * PICTURE_STEPS)  # the remainder is half a step at most
        return cls(
            np.concatenate(codes),
            np.concatenate(steps).astype(np.float32),
            lengths.astype(np.float32),
            np.linalg.norm(rest, axis=1).astype(np.float32),
        )


def _session(codes: NDArray[np.int8]) -> Any:
    """Return a session that multiplies PICTURES uint8 [n, D] by codes [D, m]."""
    width, count = codes.shape
    # Passed beside the graph, not in it: stored once, in the order that the product reads.
    texts = TensorProto(name="TEXTS", data_type=TensorProto.INT8, dims=codes.shape)
    texts.data_location = TensorProto.EXTERNAL
    texts.external_data.add(key="location", value="memory")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["PICTURES", "TEXTS", "ZERO"], ["PRODUCTS"])],
        "codes",
        [helper.make_tensor_value_info("PICTURES", TensorProto.UINT8, ["n", width])],
        [helper.make_tensor_value_info("PRODUCTS", TensorProto.INT32, ["n", count])],
        [texts, numpy_helper.from_array(np.array(PICTURE_ZERO, np.uint8), "ZERO")],
    )
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=IR_VERSION)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.add_external_initializers(["TEXTS"], [ort.OrtValue.ortvalue_from_numpy(codes)])
    return ort.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
