# SPDX-License-Identifier: Apache-2.0
"""Trireel's objects beside a detection pipeline on Ray Serve, and beside the other findings."""
