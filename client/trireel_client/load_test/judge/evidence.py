# SPDX-License-Identifier: Apache-2.0
"""The measurements of a level that the rules look at."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from trireel_client.load_test.judge.loads import MachineLoad, ModelLoad
from trireel_client.load_test.watch.capacity import ORCHESTRATORS

CPU_FULL = 0.9
INSTANCES_FULL = 0.85
# Busy instances limit nothing while hardly any request waits for them.
WAITING_REQUESTS = 0.5
LONG_WAIT = 0.25  # of the time that a request is worked on


@dataclass(frozen=True)
class LevelEvidence:
    """The measurements of one level; a share is 0 to 1, None is not known."""

    models: tuple[ModelLoad, ...]
    """The models that did any work."""
    machine: MachineLoad
    """The use of processors and memory."""
    server_is_here: bool
    """True if the server and the load generator share this machine."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    """Mean time of a video by stage, and its wall time as `total`."""
    held_back: float = 0.0
    """Share of an open level's videos that began late because too many were in flight."""
    unanswered: str = ""
    """Why there is no answer to judge by; empty if any video was answered."""

    @property
    def machine_cpu(self) -> float | None:
        """Share of the CPUs of the server's machine that was busy."""
        return self.machine.machine_cpu if self.server_is_here else self.machine.server_machine_cpu

    @property
    def allowed_cpu(self) -> float | None:
        """Share of the CPUs that the server may use, which may be fewer, that the server used."""
        used, allowed = self.machine.server_cpus, self.machine.server_cpus_allowed
        return used / allowed if used is not None and allowed else None

    @property
    def server_cpu(self) -> float | None:
        """The larger of both shares: the server can use no more CPU when either is full."""
        known = [share for share in (self.machine_cpu, self.allowed_cpu) if share is not None]
        return max(known, default=None)

    @property
    def cpu_is_full(self) -> bool:
        """True if the server has no more CPU to use."""
        return (self.server_cpu or 0.0) >= CPU_FULL

    @property
    def other_cpus(self) -> float:
        """CPUs that other programs use of a machine that is full; 0 if it is not, or not known."""
        machine, share = self.machine, self.machine_cpu
        if share is None or share < CPU_FULL or machine.server_cpus is None:
            return 0.0
        if (self.allowed_cpu or 0.0) >= CPU_FULL:  # the server has all the CPU it may have
            return 0.0
        return share * machine.cpus - machine.server_cpus - machine.client_cpus

    @property
    def workers(self) -> list[ModelLoad]:
        """The models that compute. Ensembles and whole-video models only wait for them."""
        return [
            load
            for load in self.models
            if load.utilisation is not None and load.model not in ORCHESTRATORS
        ]

    @property
    def busiest_worker(self) -> ModelLoad | None:
        """The model whose instances spent the most time at work."""
        return max(self.workers, key=lambda load: load.busy_seconds, default=None)

    @property
    def full_worker(self) -> ModelLoad | None:
        """The model with the longest queue, of those whose instances are full."""
        return max(_full(self.workers), key=lambda load: load.queue_seconds, default=None)

    @property
    def full_orchestrator(self) -> ModelLoad | None:
        """The whole-video model with the most waiting videos, of those that are full."""
        orchestrators = (load for load in self.models if load.model in ORCHESTRATORS)
        return max(_full(orchestrators), key=lambda load: load.pending, default=None)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The measurements that are missing and could have shown a limit."""
        known = {
            "the server's metrics": bool(self.models),
            "the CPU of the server's machine": self.server_cpu is not None,
        }
        return tuple(name for name, is_known in known.items() if not is_known)


def _full(loads: Iterable[ModelLoad]) -> list[ModelLoad]:
    return [
        load
        for load in loads
        if (load.utilisation or 0.0) >= INSTANCES_FULL
        and (load.pending >= WAITING_REQUESTS or load.queue_ms > LONG_WAIT * load.busy_ms)
    ]
