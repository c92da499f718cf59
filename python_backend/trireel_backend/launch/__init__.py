# SPDX-License-Identifier: Apache-2.0
"""Run Triton: assemble a model repository, then start, check, watch and stop a server."""
