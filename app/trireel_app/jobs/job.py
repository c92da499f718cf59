# SPDX-License-Identifier: Apache-2.0
"""A job and its videos as values."""

import enum
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from trireel_app.analyse.facts import ServerFacts
from trireel_app.sources.facts import SourceFacts
from trireel_app.sources.source import VideoSource

WATCHED_QUEUE = "watched"
"""The queue of all jobs of one watched video: workers look into each queue all the time."""


CANCELLED = "it was cancelled"
"""The note of a job that a person has stopped."""


class Form(enum.StrEnum):
    """Format of a job's output."""

    JSONL = "jsonl"
    PARQUET = "parquet"
    LIBRARY = "library"
    """A library with its index: each video's results are there as soon as it is analysed."""


class RowKind(enum.StrEnum):
    """What one row of the output is."""

    CLIPS = "clips"
    VIDEOS = "videos"
    FRAMES = "frames"


class JobState(enum.StrEnum):
    """Where a job stands."""

    RUNNING = "running"
    """Workers take its videos."""
    WRITTEN = "written"
    """Its output is complete; its traces are yet to be removed."""
    FINISHED = "finished"
    """Its output is complete."""
    STOPPED = "stopped"
    """Workers leave it alone until a person resumes it; the job's note says why."""


class VideoState(enum.StrEnum):
    """Where a video of a job stands."""

    WAITING = "waiting"
    QUEUED = "queued"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class JobSpec:
    """What a person asked for."""

    output: str
    """Absolute path or `s3://` address of the output: a file, or a folder."""
    form: Form
    """Format of the output."""
    rows: RowKind
    """What one row of the output is."""
    options: Mapping[str, Any]
    """Options of the analysis, without those that the server chooses."""
    attempts: int = 3
    """Attempts for one video, if each fails for a reason that may pass."""
    per_worker: int = 8
    """Videos that one worker claims at once."""
    in_flight: int | None = None
    """Videos in flight over all workers; None for any number."""
    per_minute: float | None = None
    """Videos that may begin in a minute over all workers; None for any number."""
    video_id: str | None = None
    """Id in the library of the job's one video; None for ids that are made of the addresses."""
    owner: str = ""
    """Name of the person or key that the video of `video_id` belongs to."""
    trace: str = ""
    """`traceparent` of the request that submitted the job; empty if it is not traced."""

    @property
    def is_watched(self) -> bool:
        """True if the job's progress is written down, chunk by chunk, for those who watch it."""
        return self.form is Form.LIBRARY and self.video_id is not None

    def to_json(self) -> str:
        """Return the request as JSON."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` returned."""
        values = json.loads(text)
        values |= {"form": Form(values["form"]), "rows": RowKind(values["rows"])}
        return cls(**values)

    def key(self, sources: Sequence[VideoSource]) -> str:
        """Return a text that is the same for a second request of the same output."""
        digest = hashlib.sha256()
        # The limits and the attempts change no byte of the output.
        digest.update(json.dumps([self.output, self.form, self.rows]).encode())
        digest.update(json.dumps(self.options, sort_keys=True).encode())
        for source in sources:
            digest.update(json.dumps([source.uri, source.options], sort_keys=True).encode())
        return digest.hexdigest()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How the analysis of one video ended."""

    state: VideoState
    """DONE or FAILED."""
    reason: str = ""
    """Sentence that says why it failed."""
    kind: str = ""
    """Name of the error, such as `InvalidRequest`."""
    duration_seconds: float = 0.0
    """Length of the video."""
    num_rows: int = 0
    """Rows of the output."""
    part_bytes: int = 0
    """Size of the video's part of the output."""
    part_sha256: str = ""
    """Hash of the video's part of the output."""
    stamp: str = ""
    """Text that changes when the source changes; empty if none is known."""
    source: SourceFacts = field(default_factory=SourceFacts)
    """Size and hash of the source."""
    busy_seconds: float = 0.0
    """Seconds of the last attempt."""
    summary: Mapping[str, Any] = field(default_factory=dict)
    """What lists show of the results, as plain values: of a library's video alone."""

    def to_json(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        values = asdict(self)
        if not self.summary:  # versions before it reject it
            del values["summary"]
        return values

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_json` returned."""
        source = SourceFacts(**values["source"])
        return cls(**{**values, "state": VideoState(values["state"]), "source": source})


@dataclass(frozen=True)
class Video:
    """One video of a job."""

    number: int
    """Position in the job, from 0."""
    source: VideoSource
    """The video."""
    state: VideoState
    """Where it stands."""
    round: int
    """Number of times that it was given back before."""
    outcome: Outcome | None
    """How its analysis ended; None if it has not ended."""


@dataclass(frozen=True)
class Progress:
    """How far a job is."""

    total: int
    """Videos of the job."""
    done: int
    """Videos with an answer."""
    failed: int
    """Videos with a recorded failure."""
    queued: int
    """Videos that workers have, or will take next."""
    video_seconds: float
    """Length of all videos with an answer together."""

    @property
    def settled(self) -> int:
        """Videos that need no more work."""
        return self.done + self.failed


@dataclass(frozen=True)
class Job:
    """A job as the database has it."""

    id: str
    """Name of the job."""
    key: str
    """Text that a second request of the same output has too."""
    state: JobState
    """Where it stands."""
    note: str
    """Sentence that says why it is stopped; may be empty."""
    spec: JobSpec
    """What was asked for."""
    facts: ServerFacts | None
    """Facts of the servers of its answers; None before the first one."""
    created_at: float
    """Time of its creation, seconds since 1970."""
    progress: Progress
    """How far it is."""

    @property
    def queue(self) -> str:
        """Name of its queue."""
        return WATCHED_QUEUE if self.spec.is_watched else queue_of(self.id)


def queue_of(job_id: str) -> str:
    """Return the name of a job's queue."""
    return f"job-{job_id}"
