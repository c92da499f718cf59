# SPDX-License-Identifier: Apache-2.0
"""What came of one video. Times are seconds of this machine's monotonic clock."""

import enum
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from trireel_client._errors import SequenceLost, ServerUnavailable, TrireelError
from trireel_client._results import Analysis, ChunkAnalysis
from trireel_client._sources import Source
from trireel_client.load_test.video_names import said_of, video_name

STAGES = ("fetch", "extract", "encode", "decode", "total")


class Outcome(enum.StrEnum):
    """How a video ended."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Sample:
    """One video, from when it was to begin to its end."""

    video: str
    """What it is called."""
    due_seconds: float
    """When it was to begin; its latency counts from here."""
    began_seconds: float
    """When it did."""
    ended_seconds: float
    """When its last answer or its error came."""
    outcome: Outcome
    """How it ended."""
    kind: str = ""
    """The name of the error."""
    message: str = ""
    """The error's sentence."""
    chunk_at_seconds: tuple[float, ...] = ()
    """When each chunk came, where chunks come one by one."""
    video_seconds: float = 0.0
    """Length of what was analysed."""
    frames: int = 0
    """Sampled from it."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    """Times that the answer for a whole video states, by stage."""

    @property
    def latency_seconds(self) -> float:
        """From when it was to begin to its last answer."""
        return self.ended_seconds - self.due_seconds

    @property
    def late_seconds(self) -> float:
        """How long after its time it began: the load generator's fault, or its bound."""
        return self.began_seconds - self.due_seconds

    @property
    def first_chunk_seconds(self) -> float | None:
        """From when it was to begin to its first chunk."""
        return self.chunk_at_seconds[0] - self.due_seconds if self.chunk_at_seconds else None

    @property
    def chunk_seconds(self) -> tuple[float, ...]:
        """Return from each chunk to the next, the first since the beginning."""
        times = (self.began_seconds, *self.chunk_at_seconds)
        return tuple(later - earlier for earlier, later in itertools.pairwise(times))


class Gathered:
    """What has come of a video that is under way."""

    def __init__(self, video: Source, due_seconds: float) -> None:
        self._video = video
        self._due_seconds = due_seconds
        self._began_seconds = time.perf_counter()
        self._chunk_at_seconds: list[float] = []
        self._chunk_lengths_seconds: list[float] = []
        self._frames = 0
        self._whole: Analysis | None = None

    def take(self, answer: ChunkAnalysis | Analysis) -> None:
        """Take an answer, now."""
        if isinstance(answer, Analysis):
            self._whole = answer
            return
        self._chunk_at_seconds.append(time.perf_counter())
        self._chunk_lengths_seconds.append(answer.duration_seconds)
        self._frames += len(answer.frame_pts)

    def end(self, error: TrireelError | None = None) -> Sample:
        """End, now, with all answers or with an error."""
        outcome = Outcome.OK if error is None else outcome_of(error)
        if error is None:
            return self._sample(outcome, "", "")
        return self._sample(outcome, type(error).__name__, said_of(self._video, str(error)))

    def interrupt(self, kind: str, outcome: Outcome, message: str) -> Sample:
        """End, now, because the test does not wait any longer."""
        return self._sample(outcome, kind, message)

    def _sample(self, outcome: Outcome, kind: str, message: str) -> Sample:
        whole = self._whole
        frames = self._frames
        if whole is not None:
            frames = sum(len(chunk.frame_pts) for chunk in whole.chunks)
        return Sample(
            video=video_name(self._video),
            due_seconds=self._due_seconds,
            began_seconds=self._began_seconds,
            ended_seconds=time.perf_counter(),
            outcome=outcome,
            kind=kind,
            message=message,
            chunk_at_seconds=tuple(self._chunk_at_seconds),
            video_seconds=whole.duration_seconds if whole else sum(self._chunk_lengths_seconds),
            frames=frames,
            stages_ms=_stages_ms(whole) if whole else {},
        )


def outcome_of(error: TrireelError) -> Outcome:
    """Tell a server that is full or stopping from one that failed."""
    turned_away = isinstance(error, ServerUnavailable) and not isinstance(error, SequenceLost)
    return Outcome.REFUSED if turned_away else Outcome.FAILED


def _stages_ms(analysis: Analysis) -> dict[str, float]:
    return {stage: getattr(analysis.timing, f"{stage}_ms") for stage in STAGES}
