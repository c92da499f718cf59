# SPDX-License-Identifier: Apache-2.0
"""The number formats a vision tower is exported in.

The format is typed into the graph, as TensorRT 11 wants it: matrix products in it, everything
whose rounding shows in fp32.
"""

from enum import StrEnum

from trireel_backend.towers.gate import LEAST_COSINE

LEAST_COSINE_FP32 = 0.9999
"""Of an fp32 tower to the checkpoint, and of any tower to itself in other batches."""
FUSED_ATTENTION_OPSET = 23
"""From here on attention is one operator; its fused kernels keep the softmax in fp32."""
WIDEST_KNOWN_OPSET = 20
"""What older runtimes read as well; from here on GELU is a single node."""


class Precision(StrEnum):
    """Of the matrix products of the vision tower's encoder."""

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"

    @property
    def least_cosine(self) -> float:
        """Return how close an embedding must come to the checkpoint's own.

        Of reduced precision a server asks the same again.
        """
        return LEAST_COSINE_FP32 if self is Precision.FP32 else LEAST_COSINE

    @property
    def default_opset(self) -> int:
        return WIDEST_KNOWN_OPSET if self is Precision.FP32 else FUSED_ATTENTION_OPSET
