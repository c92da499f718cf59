# SPDX-License-Identifier: Apache-2.0
"""The real tritonserver of the nvidia-pytriton wheel, on loopback."""
