# SPDX-License-Identifier: Apache-2.0
"""Trireel inside of other engines that process many videos: Ray Data, Daft."""

from trireel_app.adapters.analyzer import TrireelAnalyzer

__all__ = ["TrireelAnalyzer"]
