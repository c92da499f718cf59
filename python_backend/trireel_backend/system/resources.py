# SPDX-License-Identifier: Apache-2.0
"""How many CPUs and how much memory there are for this process."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_memory_bytes(cgroup: Path = CGROUP) -> int | None:
    """Return how much memory this process's container may take; None where nothing bounds it.

    Args:
        cgroup: as of `available_cpus`.
    """
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        return None if limit == "max" else int(limit)
    except (OSError, ValueError):
        return None


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Return how many CPUs this process may keep busy: its affinity, and its container's quota.

    Args:
        cgroup: folder of the control group, version 2: what a container sees as its own.
    """
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else min(cpus, max(1, math.ceil(int(quota) / int(period))))
