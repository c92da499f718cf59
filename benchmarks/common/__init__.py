# SPDX-License-Identifier: Apache-2.0
"""Shared by the benchmarks: records, pages, machine, servers, load, footage, stores, towers."""
