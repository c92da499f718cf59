# SPDX-License-Identifier: Apache-2.0
"""The work of server, machine and load generator between two moments, from snapshots."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trireel_client.load_test.statistics import Spread
from trireel_client.load_test.watch.capacity import ORCHESTRATORS, Capacity
from trireel_client.load_test.watch.processes import cpus
from trireel_client.load_test.watch.scrape import Scrape, grown
from trireel_client.load_test.watch.snapshots import Snapshot

COMPUTE = ("compute_input", "compute_infer", "compute_output")


@dataclass(frozen=True)
class ModelLoad:
    """The work of one model between two moments."""

    model: str
    """Name of the model."""
    instances: int | None
    """Number of processes or sessions of the model; None if it is not known."""
    slots: int | None
    """Number of requests that the model works on at once, if none are batched."""
    wall_seconds: float
    """Time between the two moments."""
    requests: float
    """Number of requests that were answered."""
    failures: float
    """Number of requests that were rejected or failed."""
    executions: float
    """Number of batches that ran."""
    rows: float
    """Number of frames, texts or requests in the batches."""
    busy_seconds: float
    """Time at work, summed over instances; an estimate if the model batches."""
    queue_seconds: float
    """Time in the queue, summed over requests."""
    pending: float
    """Mean number of requests that waited, over the snapshots."""
    pending_max: float
    """Largest number of requests that waited in a snapshot."""

    @property
    def utilisation(self) -> float | None:
        """Busy time over instances x wall time, 0 to 1; None if the instances are not known."""
        if not self.slots or not self.wall_seconds:
            return None
        return min(1.0, self.busy_seconds / (self.slots * self.wall_seconds))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def row_rate(self) -> float:
        """Rows a second; for the tower, frames a second."""
        return self.rows / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def batch(self) -> float | None:
        """Mean number of rows in a batch."""
        return self.rows / self.executions if self.executions else None

    @property
    def queue_ms(self) -> float:
        """Mean time of a request in the queue."""
        return 1e3 * self.queue_seconds / self.requests if self.requests else 0.0

    @property
    def busy_ms(self) -> float:
        """Mean time at work on a request."""
        return 1e3 * self.busy_seconds / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class MachineLoad:
    """The use of processors and memory; a share is 0 to 1, None is not known."""

    cpus: int
    """Number of CPUs of this machine."""
    machine_cpu: float | None = None
    """Share of this machine's CPUs that was busy."""
    server_machine_cpu: float | None = None
    """Share of the CPUs of the server's machine that was busy, as Triton reports it."""
    server_cpus: float | None = None
    """Mean number of CPUs that the server's processes kept busy."""
    server_cpus_allowed: float | None = None
    """Number of CPUs that the server's processes may use."""
    server_memory_bytes: int | None = None
    """Largest memory of the server's processes in a snapshot."""
    gpu: float | None = None
    """Share of the time in which GPUs computed."""
    gpu_memory: float | None = None
    """Largest share of the GPUs' memory that was in use."""
    client_cpus: float = 0.0
    """Mean number of CPUs that the load generator kept busy; one event loop uses at most one."""
    lag_p99_ms: float = 0.0
    """99th percentile of the delay of the load generator's event loop."""
    live_sequences: float = 0.0
    """Largest number of open sequences in a snapshot."""
    sequences_limit: float = 0.0
    """Largest number of sequences that the decoder accepts; 0 if it is not known."""


def model_loads(
    snapshots: Sequence[Snapshot], capacities: Mapping[str, Capacity]
) -> tuple[ModelLoad, ...]:
    """Return the work of every model that did any, between the first and the last snapshot."""
    seen = [
        (snapshot.at_seconds, snapshot.scrape)
        for snapshot in snapshots
        if snapshot.scrape is not None
    ]
    if len(seen) < 2:
        return ()
    (begin_seconds, before), (end_seconds, after) = seen[0], seen[-1]
    change = grown(before, after)
    scrapes = [scrape for _, scrape in seen]
    loads = (
        _model_load(model, change, scrapes, end_seconds - begin_seconds, capacities.get(model))
        for model in after.models()
    )
    return tuple(load for load in loads if load.requests or load.failures or load.pending_max)


def machine_load(snapshots: Sequence[Snapshot]) -> MachineLoad:
    """Return the use of machine and processes between the first and the last snapshot."""
    if len(snapshots) < 2:
        return MachineLoad(cpus())
    first, last = snapshots[0], snapshots[-1]
    wall_seconds = last.at_seconds - first.at_seconds
    total_seconds = last.machine.total_seconds - first.machine.total_seconds
    busy_seconds = last.machine.busy_seconds - first.machine.busy_seconds
    lags = Spread.of(lag for snapshot in snapshots[1:] for lag in snapshot.lags_seconds)
    servers = [snapshot.server for snapshot in snapshots if snapshot.server is not None]
    scrapes = [snapshot.scrape for snapshot in snapshots if snapshot.scrape is not None]
    server_seconds = servers[-1].cpu_seconds - servers[0].cpu_seconds if servers else None
    return MachineLoad(
        cpus=last.machine.cpus,
        machine_cpu=busy_seconds / total_seconds if total_seconds > 0 else None,
        server_machine_cpu=_mean(scrapes, "nv_cpu_utilization"),
        server_cpus=None if server_seconds is None else server_seconds / wall_seconds,
        server_cpus_allowed=servers[-1].cpus_allowed if servers else None,
        server_memory_bytes=max((use.memory_bytes for use in servers), default=None),
        gpu=_mean(scrapes, "nv_gpu_utilization"),
        gpu_memory=max((used for one in scrapes if (used := gpu_memory(one))), default=None),
        client_cpus=(last.client_cpu_seconds - first.client_cpu_seconds) / wall_seconds,
        lag_p99_ms=0.0 if lags is None else 1e3 * lags.p99,
        live_sequences=max((one.total("trireel_live_sequences") for one in scrapes), default=0.0),
        sequences_limit=scrapes[-1].total("trireel_live_sequences_limit") if scrapes else 0.0,
    )


def _model_load(
    model: str,
    change: Scrape,
    scrapes: Sequence[Scrape],
    wall_seconds: float,
    capacity: Capacity | None,
) -> ModelLoad:
    def count(name: str) -> float:
        return change.total(f"nv_inference_{name}", model)

    requests, executions = count("request_success"), count("exec_count")
    busy_seconds = sum(count(f"{part}_duration_us") for part in COMPUTE) / 1e6
    if executions and requests > executions:
        # Triton counts the time of a batch once for each of its requests.
        busy_seconds *= executions / requests
    if model in ORCHESTRATORS:
        # For Triton, these models are done with a request as soon as they have it.
        under_way = [
            one.total("trireel_open_videos", model) - one.total("trireel_waiting_videos", model)
            for one in scrapes
        ]
        busy_seconds = float(np.mean(under_way)) * wall_seconds
    pending = [one.waiting(model) for one in scrapes]
    return ModelLoad(
        model=model,
        instances=capacity.instances if capacity else None,
        slots=capacity.slots if capacity else None,
        wall_seconds=wall_seconds,
        requests=requests,
        failures=count("request_failure"),
        executions=executions,
        rows=count("count"),
        busy_seconds=busy_seconds,
        queue_seconds=count("queue_duration_us") / 1e6,
        pending=float(np.mean(pending)),
        pending_max=max(pending),
    )


def _mean(scrapes: Sequence[Scrape], metric: str) -> float | None:
    """Return a gauge's mean over the snapshots, None if there is no such gauge.

    The first snapshot is left out: Triton's value covers the time since its last measurement.
    """
    values = [value for one in scrapes[1:] if (value := one.mean(metric)) is not None]
    return float(np.mean(values)) if values else None


def gpu_memory(scrape: Scrape) -> float | None:
    """Return the share of the GPUs' memory that is in use, None without a GPU."""
    total = scrape.total("nv_gpu_memory_total_bytes")
    return scrape.total("nv_gpu_memory_used_bytes") / total if total else None
