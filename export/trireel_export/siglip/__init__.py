# SPDX-License-Identifier: Apache-2.0
"""A SigLIP checkpoint and its towers as ONNX graphs."""
