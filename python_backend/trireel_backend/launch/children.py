# SPDX-License-Identifier: Apache-2.0
"""The child processes of a server, and the collection of orphans."""

import contextlib
import os
from pathlib import Path


def living_children(process_id: int) -> set[int]:
    """Return the ids of a process's children, of all its threads, without zombies."""
    children: set[int] = set()
    for task in Path(f"/proc/{process_id}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has ended
            children.update(int(child) for child in task.read_text().split())
    return {child for child in children if is_alive(child)}


def is_alive(process_id: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def reap_orphans(own_child: int) -> None:
    """Collect ended orphans; they become children of this process if it is PID 1.

    Args:
        own_child: id of the child whose exit status must stay for its own `wait()`.
    """
    with contextlib.suppress(ChildProcessError):  # there are no children
        while True:
            # Only a look: the exit status of `own_child` must not be consumed here.
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid == own_child:
                return
            os.waitpid(ended.si_pid, 0)
