# SPDX-License-Identifier: Apache-2.0
"""Metrics of the spool's size, which one model of a server exports for all."""

import os
from collections.abc import Callable
from pathlib import Path

from trireel_backend.metrics.family import Family, Kind, Metrics

SPOOL_BYTES = Family(
    "trireel_spool_bytes", "Size of fetched and uploaded videos in the spool.", Kind.GAUGE
)
SPOOL_LIMIT_BYTES = Family(
    "trireel_spool_limit_bytes", "Size at which the spool drops what is not in use.", Kind.GAUGE
)
SPOOL_DISK_FREE_BYTES = Family(
    "trireel_spool_disk_free_bytes", "Free space of the file system of the spool.", Kind.GAUGE
)
SPOOL_SECONDS = 5.0  # between measurements
SPOOL_FAMILIES = (SPOOL_BYTES, SPOOL_LIMIT_BYTES, SPOOL_DISK_FREE_BYTES)


def measure_spool(
    metrics: Metrics, folder: Path, held_bytes: Callable[[], int], limit_bytes: int
) -> None:
    """Set the gauges of the spool's size; one model of a server does it for all.

    Args:
        held_bytes: returns the size of all files in the spool.
    """
    try:
        size_bytes = held_bytes()
        disk = os.statvfs(folder)
    except OSError:
        return  # a request that needs the disk reports the error
    metrics.set(SPOOL_BYTES, size_bytes)
    metrics.set(SPOOL_LIMIT_BYTES, limit_bytes)
    metrics.set(SPOOL_DISK_FREE_BYTES, disk.f_bavail * disk.f_frsize)
