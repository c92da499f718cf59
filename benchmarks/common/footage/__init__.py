# SPDX-License-Identifier: Apache-2.0
"""Footage with known times: drawn shots and real takes, joined, on even and uneven clocks."""
