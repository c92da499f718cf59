# SPDX-License-Identifier: Apache-2.0
"""The use of this machine by processes, from psutil."""

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import psutil

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch

CONTROL_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class Use:
    """The use of a process and its children."""

    cpu_seconds: float
    """CPU time of user and system since the watch began."""
    memory_bytes: int
    """Memory in use now; on Linux, memory that processes share counts once."""
    cpus_allowed: float
    """Number of CPUs that affinity and the container's quota allow."""


@dataclass(frozen=True)
class Machine:
    """The CPU time of this machine since it started, summed over its CPUs."""

    busy_seconds: float
    """CPU time that was not idle."""
    total_seconds: float
    """CPU time in all."""
    cpus: int
    """Number of CPUs."""


class ServerProcesses:
    """A server's process and all its descendants, as they start and end."""

    def __init__(self, process_id: int) -> None:
        """Watch a process; raises NothingToWatch."""
        try:
            self._root = psutil.Process(process_id)
            self._cpus_allowed = cpus_allowed(self._root)
            self._cpu_seconds: dict[psutil.Process, float] = {}
            self._before_seconds = 0.0
            self._before_seconds = self.use().cpu_seconds
        except psutil.Error as error:
            raise NothingToWatch(f"process {process_id} cannot be watched: {error}") from error

    def use(self) -> Use:
        """Return the use so far; the CPU time of processes that ended stays counted."""
        memory_bytes = 0
        for process in self._alive():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    memory_bytes += _memory_bytes(process)
            except psutil.Error:  # it has ended, or belongs to another user now
                continue
            self._cpu_seconds[process] = times.user + times.system
        cpu_seconds = sum(self._cpu_seconds.values()) - self._before_seconds
        return Use(cpu_seconds, memory_bytes, self._cpus_allowed)

    def _alive(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []


def _memory_bytes(process: psutil.Process) -> int:
    try:
        # Triton and its models share memory with frames: resident sizes would count it many times.
        full: Any = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def machine() -> Machine:
    """Return the CPU time of this machine so far."""
    times = psutil.cpu_times()
    # On Linux, the time of guests is part of the user's time.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return Machine(total - times.idle - getattr(times, "iowait", 0.0), total, cpus())


def cpus() -> int:
    """Return the number of CPUs of this machine."""
    return psutil.cpu_count() or 1


def cpus_allowed(process: psutil.Process) -> float:
    """Return how many CPUs a process may use; raises psutil.NoSuchProcess."""
    try:
        affinity = len(process.cpu_affinity())
    except (AttributeError, psutil.AccessDenied):  # macOS has no affinity
        affinity = cpus()
    try:
        groups = Path(f"/proc/{process.pid}/cgroup").read_text(encoding="utf-8")
    except OSError:
        return affinity
    return min(affinity, quota_cpus(groups))


def quota_cpus(groups: str, root: Path = CONTROL_GROUPS) -> float:
    """Return the lowest CPU quota of a process's control groups, infinite if there is no quota.

    Args:
        groups: content of `/proc/PID/cgroup`; groups of version 1 are ignored.
        root: folder of the groups of version 2.
    """
    paths = [line.removeprefix("0::/") for line in groups.splitlines() if line.startswith("0::/")]
    parts = PurePosixPath(*paths).parts
    if not paths or ".." in parts:  # outside of this container
        return math.inf
    return min(_quota_cpus(root.joinpath(*parts[:depth])) for depth in range(len(parts) + 1))


def _quota_cpus(group: Path) -> float:
    try:
        quota, period = (group / "cpu.max").read_text(encoding="utf-8").split()
        return math.inf if quota == "max" else int(quota) / int(period)
    except (OSError, ValueError):
        return math.inf


def listening_process(address: Address) -> int | None:
    """Return the process of this machine that listens at an address, None if none is found."""
    if not address.is_loopback:
        return None
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:  # some systems show connections to root only
        return None
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == address.port:
            return one.pid
    return None
