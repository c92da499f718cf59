# SPDX-License-Identifier: Apache-2.0
"""ONNX towers run for batches that many requests share."""
