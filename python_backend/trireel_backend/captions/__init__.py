# SPDX-License-Identifier: Apache-2.0
"""Captions on screen, from frames of a region: changes, runs of the same text, first and last frame."""
