# SPDX-License-Identifier: Apache-2.0
"""Shared by the benchmarks: records and pages, machine, servers, load, videos, stores, towers."""
