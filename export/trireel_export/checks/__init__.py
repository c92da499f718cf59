# SPDX-License-Identifier: Apache-2.0
"""Comparisons of an export with its checkpoint, and the pictures and sentences for them."""
