# SPDX-License-Identifier: Apache-2.0
"""What server, machine and load generator did in a stretch of time, from the looks at them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trireel_client.load_test.statistics import Spread
from trireel_client.load_test.watch.capacity import ORCHESTRATORS, Capacity
from trireel_client.load_test.watch.looks import Look
from trireel_client.load_test.watch.processes import cpus
from trireel_client.load_test.watch.scrape import Scrape, grown

COMPUTE = ("compute_input", "compute_infer", "compute_output")


@dataclass(frozen=True)
class ModelLoad:
    """One model's work."""

    model: str
    """Its name."""
    instances: int | None
    """Processes or sessions of it; None where the server does not tell."""
    slots: int | None
    """Requests it works on at once, without those that a batch joins."""
    wall_seconds: float
    """How long this was."""
    requests: float
    """Answered."""
    failures: float
    """Refused or failed."""
    executions: float
    """Batches run."""
    rows: float
    """Frames, texts or requests in them."""
    busy_seconds: float
    """Instances at work, summed; for a model that batches, an estimate."""
    queue_seconds: float
    """Requests waiting, summed."""
    pending: float
    """Requests waiting, on average over the looks."""
    pending_max: float
    """The most at any look."""

    @property
    def utilisation(self) -> float | None:
        """Busy time over what there was of it, up to 1; None where instances are not known."""
        if not self.slots or not self.wall_seconds:
            return None
        return min(1.0, self.busy_seconds / (self.slots * self.wall_seconds))

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def row_rate(self) -> float:
        """Rows a second: of the tower, frames."""
        return self.rows / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def batch(self) -> float | None:
        """Mean rows of an execution."""
        return self.rows / self.executions if self.executions else None

    @property
    def queue_ms(self) -> float:
        """Mean wait of a request."""
        return 1e3 * self.queue_seconds / self.requests if self.requests else 0.0

    @property
    def busy_ms(self) -> float:
        """Mean time at work for a request."""
        return 1e3 * self.busy_seconds / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class MachineLoad:
    """What processors and memory did; shares are 0 to 1, None is not known."""

    cpus: int
    """Of this machine."""
    machine_cpu: float | None = None
    """Share of this machine's CPUs that was busy."""
    server_machine_cpu: float | None = None
    """The same of the server's machine, as Triton says it."""
    server_cpus: float | None = None
    """CPUs that the server's processes kept busy."""
    server_cpus_allowed: float | None = None
    """CPUs that they may keep busy."""
    server_memory_bytes: int | None = None
    """The most they had at any look."""
    gpu: float | None = None
    """Share of the time that GPUs computed."""
    gpu_memory: float | None = None
    """Share of their memory in use, at most."""
    client_cpus: float = 0.0
    """CPUs that the load generator kept busy; one event loop has no more than one."""
    lag_p99_ms: float = 0.0
    """How late its event loop was, 99 of 100 times at most."""
    live_sequences: float = 0.0
    """The most at any look."""
    sequences_limit: float = 0.0
    """Most that the decoder lets in; 0 where it is not known."""


def model_loads(looks: Sequence[Look], capacities: Mapping[str, Capacity]) -> tuple[ModelLoad, ...]:
    """Return the work of every model that did any, between the first and the last look."""
    seen = [(look.at_seconds, look.scrape) for look in looks if look.scrape is not None]
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


def machine_load(looks: Sequence[Look]) -> MachineLoad:
    """Return what machine and processes did between the first and the last look."""
    if len(looks) < 2:
        return MachineLoad(cpus())
    first, last = looks[0], looks[-1]
    wall_seconds = last.at_seconds - first.at_seconds
    total_seconds = last.machine.total_seconds - first.machine.total_seconds
    busy_seconds = last.machine.busy_seconds - first.machine.busy_seconds
    lags = Spread.of(lag for look in looks[1:] for lag in look.lags_seconds)
    servers = [look.server for look in looks if look.server is not None]
    scrapes = [look.scrape for look in looks if look.scrape is not None]
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
        # Triton counts a batch's time once for each of its requests.
        busy_seconds *= executions / requests
    if model in ORCHESTRATORS:
        # To Triton they are done with a request as soon as they have it.
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
    """Return a gauge's mean over the looks, None where there is none.

    The first says what was before the stretch: Triton measures since its last measurement.
    """
    values = [value for one in scrapes[1:] if (value := one.mean(metric)) is not None]
    return float(np.mean(values)) if values else None


def gpu_memory(scrape: Scrape) -> float | None:
    """Return the share of the GPUs' memory that is in use, None without a GPU."""
    total = scrape.total("nv_gpu_memory_total_bytes")
    return scrape.total("nv_gpu_memory_used_bytes") / total if total else None
