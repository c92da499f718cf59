# SPDX-License-Identifier: Apache-2.0
"""Number formats of a vision tower."""

from enum import StrEnum


class Precision(StrEnum):
    """Number format of the matrix products in the vision tower's encoder.

    The text tower is always fp32.
    """

    FP32 = "fp32"
    FP16 = "fp16"
    BF16 = "bf16"
