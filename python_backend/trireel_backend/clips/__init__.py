# SPDX-License-Identifier: Apache-2.0
"""Frames to short WebM clips, each of which plays alone."""
