# SPDX-License-Identifier: Apache-2.0
"""What bounds a level: a table of rules over its evidence. The first rule that holds is the limit.

A row is a rule: the name of the limit, its condition, the numbers that show it, and the advice.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from trireel_client.load_test.judge import advice
from trireel_client.load_test.judge.evidence import CPU_FULL, LevelEvidence
from trireel_client.load_test.judge.loads import ModelLoad

CLIENT_CPUS = 0.85  # one event loop has one CPU
CLIENT_LAG_MS = 100.0  # a longer lag makes the measured latencies too long
HELD_BACK = 0.01
OTHER_CPUS = 0.25  # of all CPUs
GPU_FULL = 0.85
SEQUENCES_FULL = 0.95
LONG_FETCH = 0.5  # of a video's time

UNANSWERED = "nothing was measured"
DISTURBED = "other programs on this machine"


@dataclass(frozen=True)
class Finding:
    """One limit of a level."""

    limit: str
    """The name of the limit, in a few words."""
    because: str
    """The numbers that show the limit."""
    changes: tuple[str, ...]
    """Changes that can raise the limit."""


@dataclass(frozen=True)
class Rule:
    """One row of the table."""

    limit: Callable[[LevelEvidence], str]
    """Returns the name of the limit."""
    holds: Callable[[LevelEvidence], bool]
    """Returns whether the level is at this limit."""
    because: Callable[[LevelEvidence], str]
    """Returns the numbers that show the limit; called only if the rule holds."""
    changes: Callable[[LevelEvidence], tuple[str, ...]]
    """Returns the advice; called only if the rule holds."""

    def finding(self, level: LevelEvidence) -> Finding:
        """Return the row in words for a level at which the rule holds."""
        return Finding(self.limit(level), self.because(level), self.changes(level))


# Causes outside the server come first, then limits that all models share, then single models.
RULES = (
    Rule(
        limit=lambda level: UNANSWERED,
        holds=lambda level: bool(level.unanswered),
        because=lambda level: level.unanswered,
        changes=lambda level: advice.UNANSWERED,
    ),
    Rule(
        limit=lambda level: "the load generator",
        holds=lambda level: level.machine.client_cpus >= CLIENT_CPUS or level.held_back > HELD_BACK,
        because=lambda level: _load_generator(level),
        changes=lambda level: advice.LOAD_GENERATOR,
    ),
    Rule(
        limit=lambda level: DISTURBED,
        holds=lambda level: _is_disturbed(level),
        because=lambda level: (
            f"all CPUs were busy, and other programs than the server"
            f" ({level.machine.server_cpus:.2f} CPUs) and the load generator"
            f" ({level.machine.client_cpus:.2f}) used {level.other_cpus:.2f}"
            f" of {level.machine.cpus}"
        ),
        changes=lambda level: advice.OTHERS,
    ),
    Rule(
        limit=lambda level: "the CPU",
        holds=lambda level: level.cpu_is_full and not _is_disturbed(level),
        because=lambda level: _cpu_use(level) + _busiest(level),
        changes=lambda level: advice.cpu(level.busiest_worker),
    ),
    Rule(
        limit=lambda level: "the GPU",
        holds=lambda level: (level.machine.gpu or 0.0) >= GPU_FULL,
        because=lambda level: f"it was busy {level.machine.gpu:.0%} of the time",
        changes=lambda level: advice.GPU,
    ),
    Rule(
        limit=lambda level: "the open sequences of temporal_decoder",
        holds=lambda level: (
            level.machine.sequences_limit > 0
            and level.machine.live_sequences >= SEQUENCES_FULL * level.machine.sequences_limit
        ),
        because=lambda level: (
            f"{level.machine.live_sequences:.0f} of {level.machine.sequences_limit:.0f}"
            " sequences were open"
        ),
        changes=lambda level: advice.SEQUENCES,
    ),
    Rule(
        limit=lambda level: f"the instances of {_known(level.full_worker).model}",
        holds=lambda level: level.full_worker is not None and not level.cpu_is_full,
        because=lambda level: _work(_known(level.full_worker)),
        changes=lambda level: advice.instances(_known(level.full_worker)),
    ),
    Rule(
        limit=lambda level: (
            f"the videos that {_known(level.full_orchestrator).model} works on at once"
        ),
        holds=lambda level: level.full_orchestrator is not None and not level.cpu_is_full,
        because=lambda level: _work(_known(level.full_orchestrator)),
        changes=lambda level: advice.videos(_known(level.full_orchestrator)),
    ),
    Rule(
        limit=lambda level: "the source of the videos",
        holds=lambda level: 0.0 < LONG_FETCH * _total_ms(level) <= _fetch_ms(level),
        because=lambda level: (
            f"fetching a video to the server took {_fetch_ms(level):.0f} of"
            f" its {_total_ms(level):.0f} ms"
        ),
        changes=lambda level: advice.SOURCE,
    ),
    Rule(
        limit=lambda level: "the load generator's clock",
        holds=lambda level: level.machine.lag_p99_ms >= CLIENT_LAG_MS,
        because=lambda level: (
            f"its event loop was up to {level.machine.lag_p99_ms:.0f} ms late (p99)"
        ),
        changes=lambda level: advice.LAG_HERE if level.server_is_here else advice.LOAD_GENERATOR,
    ),
)

# The rules for a level at which no other rule holds: the first of them that holds, alone.
OTHERWISE = (
    Rule(
        limit=lambda level: "not known",
        holds=lambda level: bool(level.unknown),
        because=lambda level: (
            f"no measurement shows a limit; not measured: {', '.join(level.unknown)}"
        ),
        changes=lambda level: advice.MEASURE_MORE,
    ),
    Rule(
        limit=lambda level: "nothing yet",
        holds=lambda level: True,
        because=lambda level: "no instances, CPU or GPU are full" + _most_used(level),
        changes=lambda level: advice.MORE_LOAD,
    ),
)


def find_limits(level: LevelEvidence) -> tuple[Finding, ...]:
    """Return every limit that a level is at, the first rule's first; at least one finding."""
    found = tuple(rule.finding(level) for rule in RULES if rule.holds(level))
    return found or (next(rule for rule in OTHERWISE if rule.holds(level)).finding(level),)


def _is_disturbed(level: LevelEvidence) -> bool:
    return level.other_cpus > OTHER_CPUS * level.machine.cpus


def _load_generator(level: LevelEvidence) -> str:
    cpus = level.machine.client_cpus
    if cpus >= CLIENT_CPUS:
        return f"it kept {cpus:.2f} CPUs busy, and one event loop has one"
    return f"{level.held_back:.0%} of the videos began late, because too many were in flight"


def _cpu_use(level: LevelEvidence) -> str:
    machine, share = level.machine, level.machine_cpu
    is_limited = (machine.server_cpus_allowed or math.inf) < machine.cpus
    if share is None or (is_limited and (level.allowed_cpu or 0.0) >= CPU_FULL):
        return (
            f"the server used {machine.server_cpus:.2f} of the {machine.server_cpus_allowed:.3g}"
            f" CPUs, of this machine's {machine.cpus}, that its affinity or its container's quota"
            " allows"
        )
    because = f"{share:.0%} of the CPU time of the server's machine was used"
    if machine.server_cpus is not None:
        because += f", by the server {machine.server_cpus:.2f} of {machine.cpus} CPUs"
    return because


def _busiest(level: LevelEvidence) -> str:
    load = level.busiest_worker
    return f"; most of the models' time went into {load.model} ({_work(load)})" if load else ""


def _most_used(level: LevelEvidence) -> str:
    load = max(level.workers, key=lambda load: load.utilisation or 0.0, default=None)
    return f"; the busiest is {load.model} ({_work(load)})" if load else ""


def _fetch_ms(level: LevelEvidence) -> float:
    return level.stages_ms.get("fetch", 0.0)


def _total_ms(level: LevelEvidence) -> float:
    return level.stages_ms.get("total", 0.0)


def _known(load: ModelLoad | None) -> ModelLoad:
    """Return the model of a rule that holds, which has found one."""
    assert load is not None
    return load


def _work(load: ModelLoad) -> str:
    slots = f" of {load.slots}" if load.slots else ""
    busy = load.busy_seconds / load.wall_seconds
    parts = [
        f"{busy:.2f}{slots} busy",
        f"{load.queue_ms:.0f} ms queue",
        f"{load.pending:.1f} waiting",
    ]
    if load.batch is not None and load.rows > load.requests:
        parts.append(f"batches of {load.batch:.1f}")
    return ", ".join(parts)
