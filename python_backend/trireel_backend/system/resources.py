# SPDX-License-Identifier: Apache-2.0
"""The number of CPUs and the memory that this process may use."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def available_memory_bytes(cgroup: Path = CGROUP) -> int | None:
    """Return the memory that this process's container may use; None if nothing limits it.

    Args:
        cgroup: folder of the control group, version 2, as a container sees its own.
    """
    try:
        limit = (cgroup / "memory.max").read_text().strip()
        return None if limit == "max" else int(limit)
    except (OSError, ValueError):
        return None


def available_cpus(cgroup: Path = CGROUP) -> int:
    """Return the number of CPUs that this process may use, by its affinity and its quota.

    Args:
        cgroup: folder of the control group, version 2, as a container sees its own.
    """
    cpus = len(os.sched_getaffinity(0))
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        return cpus
    return cpus if quota == "max" else min(cpus, max(1, math.ceil(int(quota) / int(period))))
