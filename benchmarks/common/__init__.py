# SPDX-License-Identifier: Apache-2.0
"""Shared by the benchmarks: records, pages, machine, servers, load, videos, footage, stores, towers."""
