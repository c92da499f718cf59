# SPDX-License-Identifier: Apache-2.0
"""Limits of a tritonserver's process, and the settings of its memory."""

import os
import resource
import signal
from pathlib import Path

from trireel_backend.system.processes import end_with_parent

UMASK = 0o077
"""Files, folders and shared memory that the server makes are closed to other users."""

STACK_BYTES = 2**30
"""Stack in bytes of each thread of Triton: address space, given as it is used.

Triton's HTTP library copies a body of type application/x-www-form-urlencoded to the stack, twice.
On a stack of 8 MiB a body of 4.2 MB ends the server.
"""

RETURN_MEMORY = {
    # By default glibc raises both limits with the largest block that was freed, and keeps memory.
    "MALLOC_MMAP_THRESHOLD_": str(2**20),
    "MALLOC_TRIM_THRESHOLD_": str(16 * 2**20),
}
"""Environment variables with which large blocks return to the system when they are freed."""

OVERCOMMIT = Path("/proc/sys/vm/overcommit_memory")
NEVER_OVERCOMMIT = "2"


def prepare_server() -> None:
    """Set up this process to become a tritonserver: call it between fork and exec."""
    # The kernel stops the server if the launcher is killed and cannot do it.
    end_with_parent(signal.SIGTERM)
    raise_stack_limit()


def raise_stack_limit() -> None:
    """Raise the soft limit of the stack to STACK_BYTES, or to the hard limit if that is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    wanted = STACK_BYTES if hard == resource.RLIM_INFINITY else min(STACK_BYTES, hard)
    # Without a limit, glibc gives each thread 2 MiB. Without overcommit, address space is memory.
    if (soft == resource.RLIM_INFINITY or soft < wanted) and _may_overcommit():
        resource.setrlimit(resource.RLIMIT_STACK, (wanted, hard))


def _may_overcommit() -> bool:
    try:
        return OVERCOMMIT.read_text().strip() != NEVER_OVERCOMMIT
    except OSError:
        return True


def private_umask() -> None:
    """Close all files that this process makes from now on to other users."""
    os.umask(UMASK)
