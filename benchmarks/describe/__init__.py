# SPDX-License-Identifier: Apache-2.0
"""Descriptions through `describe` beside transformers alone."""
