# SPDX-License-Identifier: Apache-2.0
"""What the Trireel server runs: plain functions over arrays; the seam to Triton is `adapter`."""
