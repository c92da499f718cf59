# SPDX-License-Identifier: Apache-2.0
"""Captions on screen from the frames of a region: changes, runs of a text, first and last frames."""
