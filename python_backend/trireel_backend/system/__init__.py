# SPDX-License-Identifier: Apache-2.0
"""Processes, CPUs and memory of the machine."""
