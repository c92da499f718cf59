# SPDX-License-Identifier: Apache-2.0
"""What bounds a level: rules over what was measured, the first that holds names the limit."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from trireel_client.load_test.judge import advice
from trireel_client.load_test.judge.loads import MachineLoad, ModelLoad
from trireel_client.load_test.watch.capacity import ORCHESTRATORS

CLIENT_CPUS = 0.85  # of the one that Python runs on
CLIENT_LAG_MS = 100.0  # from here on latencies are not the server's alone
HELD_BACK = 0.01
CPU_FULL = 0.9
OTHERS = 0.25  # of all CPUs, that neither server nor load generator had
GPU_FULL = 0.85
INSTANCES_FULL = 0.85
SEQUENCES_FULL = 0.95
FETCH_LONG = 0.5
# Full instances bound nothing while hardly anybody waits for them.
WAITING = 0.5
WAIT_LONG = 0.25

UNANSWERED = "nothing was measured"
DISTURBED = "other programs on this machine"


@dataclass(frozen=True)
class Picture:
    """What a level's rules look at."""

    models: tuple[ModelLoad, ...]
    """Those that worked."""
    machine: MachineLoad
    """Processors and memory."""
    server_is_here: bool
    """Server and load generator share this machine."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    """Mean busy time of a video, by stage, and `total`, its wall time."""
    held_back: float = 0.0
    """Share of an open level's videos that began late because too many were under way."""
    unanswered: str = ""
    """Why nothing can be said: no video was answered; empty where one was."""

    @property
    def machine_cpu(self) -> float | None:
        """Share of the CPUs of the server's machine that was busy."""
        return self.machine.machine_cpu if self.server_is_here else self.machine.server_machine_cpu

    @property
    def allowed_cpu(self) -> float | None:
        """Share of the CPUs that the server may keep busy, which may be fewer, that it did."""
        used, allowed = self.machine.server_cpus, self.machine.server_cpus_allowed
        return used / allowed if used is not None and allowed else None

    @property
    def server_cpu(self) -> float | None:
        """The larger of both: the server has no more CPU to take once either is full."""
        known = [share for share in (self.machine_cpu, self.allowed_cpu) if share is not None]
        return max(known, default=None)


@dataclass(frozen=True)
class Finding:
    """One thing that is full."""

    limit: str
    """What it is, in a few words."""
    because: str
    """The numbers that say so."""
    changes: tuple[str, ...]
    """What to do about it."""


Rule = Callable[[Picture], Finding | None]


def find_limits(picture: Picture) -> tuple[Finding, ...]:
    """Return all that is full, the first limit first; what is not, where nothing is."""
    found = tuple(finding for rule in RULES if (finding := rule(picture)) is not None)
    return found or (nothing_full(picture),)


def unanswered(picture: Picture) -> Finding | None:
    """No video was answered: what was full may have been so with anything."""
    if not picture.unanswered:
        return None
    return Finding(UNANSWERED, picture.unanswered, advice.UNANSWERED)


def load_generator(picture: Picture) -> Finding | None:
    """The load generator itself is busy, or holds videos back."""
    machine = picture.machine
    if machine.client_cpus >= CLIENT_CPUS:
        because = f"it kept {machine.client_cpus:.2f} CPUs busy, and one event loop has one"
    elif picture.held_back > HELD_BACK:
        because = f"{picture.held_back:.0%} of the videos began late, as it had too many under way"
    else:
        return None
    return Finding("the load generator", because, advice.LOAD_GENERATOR)


def others(picture: Picture) -> Finding | None:
    """Other programs have the CPUs of a machine that the server shares with them."""
    machine, share = picture.machine, picture.machine_cpu
    if share is None or share < CPU_FULL or machine.server_cpus is None:
        return None
    if (picture.allowed_cpu or 0.0) >= CPU_FULL:  # the server has all it may have
        return None
    known = machine.server_cpus + machine.client_cpus
    rest = share * machine.cpus - known
    if rest <= OTHERS * machine.cpus:
        return None
    because = (
        f"all CPUs were busy, {rest:.2f} of {machine.cpus} with neither the server"
        f" ({machine.server_cpus:.2f}) nor the load generator ({machine.client_cpus:.2f})"
    )
    return Finding(DISTURBED, because, advice.OTHERS)


def cpu(picture: Picture) -> Finding | None:
    """The CPUs that the server may use are busy."""
    if not _cpu_is_full(picture) or others(picture) is not None:
        return None
    because = _cpu_use(picture)
    busiest = max(_workers(picture), key=lambda load: load.busy_seconds, default=None)
    if busiest is not None:
        because += f"; most of the models' time went into {busiest.model} ({_work(busiest)})"
    return Finding("the CPU", because, advice.cpu(busiest.model if busiest else ""))


def gpu(picture: Picture) -> Finding | None:
    """The GPUs are busy."""
    share = picture.machine.gpu
    if share is None or share < GPU_FULL:
        return None
    return Finding("the GPU", f"it was busy {share:.0%} of the time", advice.GPU)


def instances(picture: Picture) -> Finding | None:
    """A model's instances are busy, requests wait for them, and CPUs are free for more."""
    full = [load for load in _workers(picture) if _is_full(load)]
    if not full or _cpu_is_full(picture):
        return None
    load = max(full, key=lambda one: one.queue_seconds)
    changes = advice.instances(load.model, load.instances or 1)
    return Finding(f"the instances of {load.model}", _work(load), changes)


def sequences(picture: Picture) -> Finding | None:
    """The decoder lets no further sequence in."""
    live, limit = picture.machine.live_sequences, picture.machine.sequences_limit
    if not limit or live < SEQUENCES_FULL * limit:
        return None
    because = f"{live:.0f} of {limit:.0f} sequences were open"
    return Finding("the open sequences of temporal_decoder", because, advice.SEQUENCES)


def videos(picture: Picture) -> Finding | None:
    """All places for whole videos are taken, others wait, and CPUs are free for more."""
    full = [load for load in picture.models if load.model in ORCHESTRATORS and _is_full(load)]
    if not full or _cpu_is_full(picture):
        return None
    load = max(full, key=lambda one: one.pending)
    changes = advice.videos(load.model, load.slots or 1)
    return Finding(f"the videos that {load.model} works on at once", _work(load), changes)


def source(picture: Picture) -> Finding | None:
    """Videos wait for their source."""
    fetch_ms, total_ms = (picture.stages_ms.get(name, 0.0) for name in ("fetch", "total"))
    if not total_ms or fetch_ms < FETCH_LONG * total_ms:
        return None
    because = f"{fetch_ms:.0f} of {total_ms:.0f} ms of a video went into having it on the server"
    return Finding("the source of the videos", because, advice.SOURCE)


def lag(picture: Picture) -> Finding | None:
    """The load generator was kept from its work, so that its times are too long."""
    machine = picture.machine
    if machine.lag_p99_ms < CLIENT_LAG_MS:
        return None
    because = f"its event loop was up to {machine.lag_p99_ms:.0f} ms late (p99)"
    changes = advice.LAG_HERE if picture.server_is_here else advice.LOAD_GENERATOR
    return Finding("the load generator's clock", because, changes)


def nothing_full(picture: Picture) -> Finding:
    """Say that nothing measured is full."""
    missing = [
        name
        for name, value in (
            ("the server's metrics", picture.models or None),
            ("the CPU of the server's machine", picture.server_cpu),
        )
        if value is None
    ]
    if missing:
        because = f"nothing that was measured is full; not known: {', '.join(missing)}"
        return Finding("not known", because, advice.MEASURE_MORE)
    loads = _workers(picture)
    busiest = max(loads, key=lambda load: load.utilisation or 0.0, default=None)
    because = "no instances, CPU or GPU are full"
    if busiest is not None:
        because += f"; the busiest is {busiest.model} ({_work(busiest)})"
    return Finding("nothing yet", because, advice.MORE_LOAD)


# Whatever is not the server's fault comes first; then what all models share, then single models.
RULES: Sequence[Rule] = (
    unanswered,
    load_generator,
    others,
    cpu,
    gpu,
    sequences,
    instances,
    videos,
    source,
    lag,
)


def _workers(picture: Picture) -> list[ModelLoad]:
    """Return the models that compute: ensembles and orchestrators only wait for them."""
    return [
        load
        for load in picture.models
        if load.utilisation is not None and load.model not in ORCHESTRATORS
    ]


def _cpu_is_full(picture: Picture) -> bool:
    return (picture.server_cpu or 0.0) >= CPU_FULL


def _cpu_use(picture: Picture) -> str:
    machine, share = picture.machine, picture.machine_cpu
    is_limited = (machine.server_cpus_allowed or math.inf) < machine.cpus
    if share is None or (is_limited and (picture.allowed_cpu or 0.0) >= CPU_FULL):
        return (
            f"the server used {machine.server_cpus:.2f} of the {machine.server_cpus_allowed:.3g}"
            f" CPUs, of this machine's {machine.cpus}, that its affinity or its container's quota"
            " lets it have"
        )
    because = f"{share:.0%} of the CPU time of the server's machine was used"
    if machine.server_cpus is not None:
        because += f", by the server {machine.server_cpus:.2f} of {machine.cpus} CPUs"
    return because


def _is_full(load: ModelLoad) -> bool:
    waits = load.pending >= WAITING or load.queue_ms > WAIT_LONG * load.busy_ms
    return (load.utilisation or 0.0) >= INSTANCES_FULL and waits


def _work(load: ModelLoad) -> str:
    of = f" of {load.slots}" if load.slots else ""
    busy = load.busy_seconds / load.wall_seconds
    parts = [f"{busy:.2f}{of} busy", f"{load.queue_ms:.0f} ms queue", f"{load.pending:.1f} waiting"]
    if load.batch is not None and load.rows > load.requests:
        parts.append(f"batches of {load.batch:.1f}")
    return ", ".join(parts)
