# SPDX-License-Identifier: Apache-2.0
"""Processes, periodic threads, paths, CPUs and memory of the machine."""
