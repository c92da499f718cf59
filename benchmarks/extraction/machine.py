# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on."""

from benchmarks.common.machine import describe

__all__ = ["describe"]
