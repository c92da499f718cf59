# SPDX-License-Identifier: Apache-2.0
"""What reduced precision costs in accuracy, and which form of the graph runs best on the CPU."""
