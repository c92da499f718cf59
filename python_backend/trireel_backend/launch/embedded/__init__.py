# SPDX-License-Identifier: Apache-2.0
"""Run the tritonserver of the nvidia-pytriton wheel, on loopback."""
