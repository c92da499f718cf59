# SPDX-License-Identifier: Apache-2.0
"""Which processes a server has, and what becomes of those that lose their parent."""

import contextlib
import os
from pathlib import Path


def living_children(process_id: int) -> set[int]:
    """Return the children of all threads of a process, but for those that only await a wait()."""
    children: set[int] = set()
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            children.update(int(child) for child in task.read_text().split())
    return {child for child in children if _lives(child)}


def reap_orphans(own_child: int) -> None:
    """Collect ended processes that were left to this one, which is PID 1 of its container.

    Args:
        own_child: process id whose exit status somebody else asks for.
    """
    with contextlib.suppress(ChildProcessError):  # there are no children
        while True:
            # Only a look: what belongs to somebody else has to stay.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid == own_child:
                return
            os.waitpid(ended.si_pid, 0)


def _lives(process_id: int) -> bool:
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
