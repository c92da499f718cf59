# SPDX-License-Identifier: Apache-2.0
"""Captions on screen: extents and texts against a generated truth, and the cost beside peers."""
