# SPDX-License-Identifier: Apache-2.0
"""One file per Triton model of the Python backend, named after its folder in model_repository."""
