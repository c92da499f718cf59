# SPDX-License-Identifier: Apache-2.0
"""Slow sources, and what they are to those who ask for other videos."""
