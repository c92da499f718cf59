# SPDX-License-Identifier: Apache-2.0
"""The opset and the accuracy that belong to a number format of the vision tower.

The format is typed into the graph, as TensorRT 11 requires: matrix products are in that format, and
everything that rounding would hurt is in fp32.
"""

from trireel_schema.gate import LEAST_COSINE
from trireel_schema.precision import Precision

LEAST_COSINE_FP32 = 0.9999
"""Smallest cosine of an fp32 tower to the checkpoint, and of any tower to itself in batches of
other sizes."""
LEAST_OPSET, MOST_OPSET = 18, 23
FUSED_ATTENTION_OPSET = 23
"""From this opset on attention is one operator; its fused kernels keep the softmax in fp32."""
WIDELY_KNOWN_OPSET = 20
"""An opset that older runtimes read as well; from this one on GELU is a single node."""


def least_cosine(precision: Precision) -> float:
    """Return how close an embedding must come to the checkpoint's own.

    For a reduced precision a server makes the same comparison again.
    """
    return LEAST_COSINE_FP32 if precision is Precision.FP32 else LEAST_COSINE


def default_opset(precision: Precision) -> int:
    """Return the ONNX opset of an export if none is given."""
    return WIDELY_KNOWN_OPSET if precision is Precision.FP32 else FUSED_ATTENTION_OPSET
