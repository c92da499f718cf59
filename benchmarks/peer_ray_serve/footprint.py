# SPDX-License-Identifier: Apache-2.0
"""What a process and everything that it started take: CPU time, memory."""

from benchmarks.common.footprint import Footprint, busy_seconds, summary

__all__ = ["Footprint", "busy_seconds", "summary"]
