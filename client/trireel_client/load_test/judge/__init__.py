# SPDX-License-Identifier: Apache-2.0
"""Sums a level up and names what bounds it."""
