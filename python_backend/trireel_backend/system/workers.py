# SPDX-License-Identifier: Apache-2.0
"""Processes for C code that may crash: how an owner starts one, and how it bounds itself.

A worker has no credentials in its environment, a memory limit, and ends with its owner.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from trireel_backend.system.processes import end_with_parent

WORKER_STACK_BYTES = 8 * 2**20  # of each thread
MAX_OPEN_FILES = 256
OUT_OF_MEMORY_SCORE = Path("/proc/self/oom_score_adj")
FIRST_TO_KILL = 1000  # the maximum, see proc(5)
WORKER_VARIABLES = (
    "PATH",
    "PYTHONPATH",
    "PYTHONHOME",
    "LD_LIBRARY_PATH",
    "LANG",
    "LC_ALL",
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "CUDA_VISIBLE_DEVICES",
)
"""Environment variables that a worker gets; none of them holds a credential."""


def start_worker(
    module: str, setup: str, descriptors: Sequence[int], variables: Mapping[str, str] | None = None
) -> "subprocess.Popen[bytes]":
    """Start `python -m module setup` with a bare environment.

    Args:
        descriptors: open files that the worker inherits.
        variables: further environment variables.

    Raises:
        FileNotFoundError: if there is no Python to run it with.
    """
    environment = {name: os.environ[name] for name in WORKER_VARIABLES if name in os.environ}
    package_parent = str(Path(__file__).parents[2])
    _limit_stack()
    search = [package_parent, *filter(None, [environment.get("PYTHONPATH")])]
    return subprocess.Popen(
        [worker_python(), "-P", "-m", module, setup],
        pass_fds=descriptors,
        # UTF-8 in any locale: FFmpeg, Pillow and messages get file names of any bytes.
        env=environment
        | {"PYTHONPATH": os.pathsep.join(search), "PYTHONUTF8": "1"}
        | dict(variables or {}),
        stdin=subprocess.DEVNULL,
    )


def become_worker(owner_pid: int, memory_bytes: int) -> None:
    """Bound this process: it ends with its owner, and is the first to go if memory runs out.

    Args:
        memory_bytes: memory that the process may use beside what it shares.
    """
    _end_with(owner_pid)
    with suppress(OSError):  # some systems hide the file from their processes
        OUT_OF_MEMORY_SCORE.write_text(str(FIRST_TO_KILL))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_OPEN_FILES, MAX_OPEN_FILES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _end_with(owner_pid: int) -> None:
    """Let the kernel kill this process when its owner ends."""
    end_with_parent(signal.SIGKILL)
    if os.getppid() != owner_pid:  # the owner ended before that
        sys.exit()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the owner handles a terminal's Ctrl-C


def _limit_stack() -> None:
    """Limit the stacks of a worker's threads: they count as memory that the worker uses."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    if soft == resource.RLIM_INFINITY or soft > WORKER_STACK_BYTES:  # Triton's is raised
        resource.setrlimit(resource.RLIMIT_STACK, (WORKER_STACK_BYTES, hard))


def worker_python() -> str:
    """Return the interpreter; if Python is embedded, as in Triton's stub, the first on PATH."""
    if Path(sys.executable or "").name.startswith("python"):
        return sys.executable
    python = shutil.which("python3")
    if python is None:
        raise FileNotFoundError("there is no python3 on PATH to run a worker process with")
    return python
