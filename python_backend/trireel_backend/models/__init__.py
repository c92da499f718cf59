# SPDX-License-Identifier: Apache-2.0
"""One file for each Triton model of the Python backend, named as its folder in model_repository."""
