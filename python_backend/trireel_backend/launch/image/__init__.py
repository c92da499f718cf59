# SPDX-License-Identifier: Apache-2.0
"""The tritonserver of NVIDIA's image: assembled, checked, reachable from outside, stopped."""
