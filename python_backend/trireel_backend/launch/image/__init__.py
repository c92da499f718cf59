# SPDX-License-Identifier: Apache-2.0
"""Run the tritonserver of NVIDIA's image, which other machines can reach."""
