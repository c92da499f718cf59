# SPDX-License-Identifier: Apache-2.0
"""Numbers for operators: families of series, and where they are counted. No model is named here.

docs/metrics.md says what each number means; `triton.adapter.export_metrics` makes them part of
Triton's /metrics.
"""
