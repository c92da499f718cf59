# SPDX-License-Identifier: Apache-2.0
"""Painting in world units: shapes, colours, motion and repeatable chance."""
