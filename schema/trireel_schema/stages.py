# SPDX-License-Identifier: Apache-2.0
"""Names of the stages that a whole video passes through."""

STAGES = ("fetch", "extract", "encode", "decode")
"""The stages in order; stages of neighbouring chunks overlap in time."""
TOTAL = "total"
"""Name of the wall time of the whole video."""
TIMING_STAGES = (*STAGES, TOTAL)
"""The values of the tensor TIMING_STAGES, in order."""
