# SPDX-License-Identifier: Apache-2.0
"""The summary of a level: counts, rates, times and its limit."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trireel_client.load_test.drive.level_run import LevelRun
from trireel_client.load_test.drive.samples import Outcome, Sample
from trireel_client.load_test.judge.evidence import LevelEvidence
from trireel_client.load_test.judge.loads import MachineLoad, ModelLoad, machine_load, model_loads
from trireel_client.load_test.judge.rules import Finding, find_limits
from trireel_client.load_test.plan import Level, Mode
from trireel_client.load_test.statistics import Spread
from trireel_client.load_test.watch.capacity import Capacity
from trireel_client.load_test.watch.snapshots import Snapshot
from trireel_schema.stages import TIMING_STAGES

LATE_SECONDS = 0.05  # a video that begins later than this was held back


@dataclass(frozen=True)
class Failure:
    """One kind of failure or refusal."""

    kind: str
    """Name of the error."""
    outcome: Outcome
    """`failed`, or `refused` if the server is full, stopping or gone (UNAVAILABLE)."""
    count: int
    """Number of videos with this error."""
    example: str
    """Message of the first of them."""


@dataclass(frozen=True)
class Counts:
    """Numbers of videos by outcome."""

    ok: int
    """Number of videos with all answers."""
    refused: int
    """Number of videos that were UNAVAILABLE: the server was full, stopping or gone."""
    failed: int
    """Number of videos with any other error."""
    interrupted: int
    """Number of videos that Ctrl-C interrupted."""

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> "Counts":
        """Count samples."""
        counter = Counter(one.outcome for one in samples)
        return cls(*(counter[outcome] for outcome in Outcome))

    @property
    def ended(self) -> int:
        """Number of videos that were not interrupted."""
        return self.ok + self.refused + self.failed

    @property
    def success_rate(self) -> float | None:
        """Share of videos that were answered, 0 to 1; None if no video ended."""
        return self.ok / self.ended if self.ended else None


@dataclass(frozen=True)
class Rates:
    """Answers within the window, for each of its seconds."""

    videos: float
    """Whole videos a second."""
    requests: float
    """Requests a second; in a sequence, each chunk is a request."""
    video_seconds: float
    """Seconds of video that were analysed a second."""
    frames: float
    """Frames that were sampled a second."""


@dataclass(frozen=True)
class LevelSummary:
    """The summary of one level."""

    level: Level
    """The load of the level."""
    seconds: float
    """Length of the window; shorter than planned if the test was interrupted."""
    counts: Counts
    """Numbers of the videos that were due in the window."""
    warm_up: Counts
    """Numbers of the videos that were due before it."""
    failures: tuple[Failure, ...]
    """Errors by kind, the most frequent first, with those of the warm-up."""
    rates: Rates
    """Throughput within the window."""
    latency: Spread | None
    """Seconds from when a video was due to its last answer, for answered videos."""
    first_chunk: Spread | None
    """Seconds from when a video was due to its first chunk, if chunks come one by one."""
    chunk: Spread | None
    """Seconds between chunks; in a sequence, each chunk is a request."""
    late: Spread | None
    """Seconds by which videos of an open level began late."""
    stages_ms: Mapping[str, Spread]
    """Times by stage, from the answers."""
    models: tuple[ModelLoad, ...]
    """Work of the server's models."""
    machine: MachineLoad
    """Use of processors and memory."""
    findings: tuple[Finding, ...]
    """Limits of the level, the first one first."""


def summarise(
    run: LevelRun,
    snapshots: Sequence[Snapshot],
    *,
    mode: Mode,
    capacities: Mapping[str, Capacity],
    server_is_here: bool,
) -> LevelSummary:
    """Return the summary of a level, from its samples and the snapshots in its window."""
    counted = run.counted
    answered = [one for one in counted if one.outcome is Outcome.OK]
    stages_ms = _stages(answered)
    models, machine = model_loads(snapshots, capacities), machine_load(snapshots)
    late = [one.late_seconds for one in counted] if run.level.is_open else []
    rates, failures = _rates(run, mode), _failures((*counted, *run.warm_up))
    evidence = LevelEvidence(
        models=models,
        machine=machine,
        server_is_here=server_is_here,
        stages_ms={stage: spread.mean for stage, spread in stages_ms.items()},
        held_back=float(np.mean([seconds > LATE_SECONDS for seconds in late])) if late else 0.0,
        unanswered="" if answered or rates.videos else _why_unanswered(failures),
    )
    return LevelSummary(
        level=run.level,
        seconds=run.window.seconds,
        counts=Counts.of(counted),
        warm_up=Counts.of(run.warm_up),
        failures=failures,
        rates=rates,
        latency=Spread.of(one.latency_seconds for one in answered),
        first_chunk=Spread.of(
            one.first_chunk_seconds for one in answered if one.first_chunk_seconds is not None
        ),
        chunk=Spread.of(seconds for one in answered for seconds in one.chunk_seconds),
        late=Spread.of(late),
        stages_ms=stages_ms,
        models=models,
        machine=machine,
        findings=find_limits(evidence),
    )


def _rates(run: LevelRun, mode: Mode) -> Rates:
    # Every video that ended in the window counts, also the last ones of the warm-up: about as many
    # of the window's own videos end after it.
    ended = [
        one
        for one in run.samples
        if one.outcome is Outcome.OK and run.window.holds(one.ended_seconds)
    ]
    requests = float(len(ended))
    if mode is Mode.SEQUENCE:
        chunks = (at for one in run.samples for at in one.chunk_at_seconds)
        requests = float(sum(map(run.window.holds, chunks)))
    totals = (
        len(ended),
        requests,
        sum(one.video_seconds for one in ended),
        sum(one.frames for one in ended),
    )
    seconds = run.window.seconds
    return Rates(*(total / seconds if seconds else 0.0 for total in totals))


def _stages(answered: Sequence[Sample]) -> dict[str, Spread]:
    spreads = {
        stage: Spread.of(one.stages_ms[stage] for one in answered if stage in one.stages_ms)
        for stage in TIMING_STAGES
    }
    return {stage: spread for stage, spread in spreads.items() if spread is not None}


def _why_unanswered(failures: Sequence[Failure]) -> str:
    if not failures:
        return "no video began and ended in the measured time"
    most = failures[0]
    return f"no video was answered; the most frequent error was {most.kind}: {most.example}"


def _failures(samples: Iterable[Sample]) -> tuple[Failure, ...]:
    by_kind: dict[tuple[str, Outcome], list[str]] = {}
    for one in samples:
        if one.outcome in (Outcome.FAILED, Outcome.REFUSED):
            by_kind.setdefault((one.kind, one.outcome), []).append(one.message)
    failures = (
        Failure(kind, outcome, len(messages), messages[0])
        for (kind, outcome), messages in by_kind.items()
    )
    return tuple(sorted(failures, key=lambda failure: -failure.count))
