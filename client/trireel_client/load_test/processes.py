# SPDX-License-Identifier: Apache-2.0
"""What processes of this machine use, by psutil."""

from dataclasses import dataclass
from typing import Any

import psutil

from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch


@dataclass(frozen=True)
class Use:
    """What a process and its children have used."""

    cpu_seconds: float
    """User and system, since the watch began."""
    memory_bytes: int
    """Now; what several of them share is counted once where the system tells (Linux)."""


@dataclass(frozen=True)
class Machine:
    """What this machine has done since it started, summed over its CPUs."""

    busy_seconds: float
    """Not idle."""
    total_seconds: float
    """In all."""
    cpus: int
    """How many there are."""


class ServerProcesses:
    """A server's process with all below it, as they come and go."""

    def __init__(self, process_id: int) -> None:
        """Watch a process; raises NothingToWatch."""
        try:
            self._root = psutil.Process(process_id)
            self._cpu_seconds: dict[psutil.Process, float] = {}
            self._before_seconds = 0.0
            self._before_seconds = self.use().cpu_seconds
        except psutil.Error as error:
            raise NothingToWatch(f"process {process_id} cannot be watched: {error}") from error

    def use(self) -> Use:
        """Return what they have used; that of processes that ended stays counted."""
        memory_bytes = 0
        for process in self._alive():
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    memory_bytes += _memory_bytes(process)
            except psutil.Error:  # it ended, or became another user's
                continue
            self._cpu_seconds[process] = times.user + times.system
        return Use(sum(self._cpu_seconds.values()) - self._before_seconds, memory_bytes)

    def _alive(self) -> list[psutil.Process]:
        try:
            return [self._root, *self._root.children(recursive=True)]
        except psutil.Error:
            return []


def _memory_bytes(process: psutil.Process) -> int:
    try:
        # Triton and its models share regions with frames: resident sizes would count them often.
        full: Any = process.memory_full_info()
        return int(getattr(full, "pss", full.rss))
    except psutil.AccessDenied:
        return int(process.memory_info().rss)


def machine() -> Machine:
    """Return what this machine has done so far."""
    times = psutil.cpu_times()
    # Guests' time is in the user's already (Linux).
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return Machine(total - times.idle - getattr(times, "iowait", 0.0), total, cpus())


def cpus() -> int:
    """Return how many CPUs this machine has."""
    return psutil.cpu_count() or 1


def listening_process(address: Address) -> int | None:
    """Return the process of this machine that listens at an address, None where none is seen."""
    if not address.is_loopback:
        return None
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.Error:  # some systems tell only root
        return None
    for one in connections:
        if one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == address.port:
            return one.pid
    return None
