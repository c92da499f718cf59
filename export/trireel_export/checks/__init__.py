# SPDX-License-Identifier: Apache-2.0
"""Comparisons of what was exported with the checkpoint, and what they are made with."""
