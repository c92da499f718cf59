# SPDX-License-Identifier: Apache-2.0
"""Captions on screen: changes of a region, runs of the same text, first and last frames."""
