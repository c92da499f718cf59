# SPDX-License-Identifier: Apache-2.0
"""The vision tower on a CPU: runtimes, precision, batch sizes, threads, memory."""
