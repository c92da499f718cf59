# SPDX-License-Identifier: Apache-2.0
"""The result of one video. Times are seconds of this machine's monotonic clock."""

import enum
import itertools
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from trireel_client._errors import SequenceLost, ServerUnavailable, TrireelError
from trireel_client._results import Analysis, ChunkAnalysis
from trireel_client._sources import Source
from trireel_client.load_test.video_names import video_name, without_secrets
from trireel_schema.stages import TIMING_STAGES


class Outcome(enum.StrEnum):
    """The way in which a video ended."""

    OK = "ok"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Sample:
    """One video, from the time at which it was due to its end."""

    video: str
    """Name of the video, without secrets."""
    due_seconds: float
    """Time at which the video was due to begin; its latency counts from here."""
    began_seconds: float
    """Time at which the video began."""
    ended_seconds: float
    """Time at which the last answer or the error came."""
    outcome: Outcome
    """The way in which the video ended."""
    kind: str = ""
    """Name of the error; empty if there was none."""
    message: str = ""
    """Message of the error."""
    chunk_at_seconds: tuple[float, ...] = ()
    """Times at which the chunks came, if they come one by one."""
    video_seconds: float = 0.0
    """Length of the video that was analysed."""
    frames: int = 0
    """Number of frames that were sampled."""
    stages_ms: Mapping[str, float] = field(default_factory=dict)
    """Times by stage, from the answer for a whole video."""

    @property
    def latency_seconds(self) -> float:
        """Time from when the video was due to its last answer."""
        return self.ended_seconds - self.due_seconds

    @property
    def late_seconds(self) -> float:
        """Delay of the video's beginning, which the load generator causes."""
        return self.began_seconds - self.due_seconds

    @property
    def first_chunk_seconds(self) -> float | None:
        """Time from when the video was due to its first chunk."""
        return self.chunk_at_seconds[0] - self.due_seconds if self.chunk_at_seconds else None

    @property
    def chunk_seconds(self) -> tuple[float, ...]:
        """Times between chunks; the first counts from the video's beginning."""
        times = (self.began_seconds, *self.chunk_at_seconds)
        return tuple(later - earlier for earlier, later in itertools.pairwise(times))


class SampleRecorder:
    """Collects the answers of a video in flight, and their times."""

    def __init__(self, video: Source, due_seconds: float) -> None:
        self._video = video
        self._due_seconds = due_seconds
        self._began_seconds = time.perf_counter()
        self._chunk_at_seconds: list[float] = []
        self._chunk_lengths_seconds: list[float] = []
        self._frames = 0
        self._whole: Analysis | None = None

    def add(self, answer: ChunkAnalysis | Analysis) -> None:
        """Add an answer that comes now."""
        if isinstance(answer, Analysis):
            self._whole = answer
            return
        self._chunk_at_seconds.append(time.perf_counter())
        self._chunk_lengths_seconds.append(answer.duration_seconds)
        self._frames += len(answer.frame_pts)

    def end(self, error: TrireelError | None = None) -> Sample:
        """Return the sample of a video that ends now, with all answers or with an error."""
        outcome = Outcome.OK if error is None else outcome_of(error)
        if error is None:
            return self._sample(outcome, "", "")
        return self._sample(outcome, type(error).__name__, without_secrets(self._video, str(error)))

    def interrupt(self, kind: str, outcome: Outcome, message: str) -> Sample:
        """Return the sample of a video that the test no longer waits for."""
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
    """Return `refused` if the server is full or stopping, otherwise `failed`."""
    is_refused = isinstance(error, ServerUnavailable) and not isinstance(error, SequenceLost)
    return Outcome.REFUSED if is_refused else Outcome.FAILED


def _stages_ms(analysis: Analysis) -> dict[str, float]:
    return {stage: getattr(analysis.timing, f"{stage}_ms") for stage in TIMING_STAGES}
