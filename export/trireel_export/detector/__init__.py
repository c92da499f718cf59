# SPDX-License-Identifier: Apache-2.0
"""Object detectors of transformers as one ONNX graph each."""
