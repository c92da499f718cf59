# SPDX-License-Identifier: Apache-2.0
"""The tower served by Triton, beside the tower alone and the machine's limit."""
