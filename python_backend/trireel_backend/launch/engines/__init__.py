# SPDX-License-Identifier: Apache-2.0
"""TensorRT engines: their names, their build and their gate."""
