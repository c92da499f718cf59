# SPDX-License-Identifier: Apache-2.0
"""Metrics for operators: families of series, and the interface that counts them.

No model is named here. docs/metrics.md explains each metric; `triton.adapter.export_metrics` adds
them to Triton's /metrics.
"""
