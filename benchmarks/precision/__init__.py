# SPDX-License-Identifier: Apache-2.0
"""The cost of reduced precision in accuracy, and the fastest form of the graph on a CPU."""
