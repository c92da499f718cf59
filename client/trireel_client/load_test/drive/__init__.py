# SPDX-License-Identifier: Apache-2.0
"""Puts load on a server: arrivals, workers, and a sample for each video."""
