# SPDX-License-Identifier: Apache-2.0
"""CPU time and memory of a process with everything that it started."""

import contextlib
from collections import defaultdict
from collections.abc import Iterator

import psutil

from trireel_backend.system.periodic import Every

MIB = 2**20


def busy_seconds() -> float:
    """Return the CPU time that all processes of this machine have used so far."""
    times = psutil.cpu_times()
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice


class Footprint:
    """A process and its descendants."""

    def __init__(self, process_id: int) -> None:
        self._root = psutil.Process(process_id)

    def family(self) -> list[psutil.Process]:
        """Return the processes that are alive now."""
        return [self._root, *self._root.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Return the CPU time up to now, with that of commands that have ended."""
        total = 0.0
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        return total

    def pss_mib(self) -> dict[str, float]:
        """Return the proportional set size (PSS) by name of process."""
        sizes: dict[str, float] = defaultdict(float)
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess):
                sizes[process.name()] += process.memory_full_info().pss / MIB
        return {name: round(size, 1) for name, size in sizes.items()}

    def total_pss_mib(self) -> float:
        """Return the PSS of all processes together."""
        return round(sum(self.pss_mib().values()), 1)

    @contextlib.contextmanager
    def sampled(self, every_seconds: float = 2.0) -> Iterator[list[float]]:
        """Read the total PSS at an interval within the context; yields the list of readings."""
        totals: list[float] = []
        sampler = Every(every_seconds, lambda: totals.append(self.total_pss_mib()))
        try:
            yield totals
        finally:
            sampler.close()
