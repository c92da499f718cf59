# SPDX-License-Identifier: Apache-2.0
"""The seam to Triton: the only room that knows its Python API."""
