# SPDX-License-Identifier: Apache-2.0
"""Measures the server, its machine and the load generator beside the load."""
