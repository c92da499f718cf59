# SPDX-License-Identifier: Apache-2.0
"""Data that travels between client and models: requests and named arrays."""
