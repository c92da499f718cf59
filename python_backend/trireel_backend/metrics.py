# SPDX-License-Identifier: Apache-2.0
"""What is counted for operators. docs/metrics.md says what each number means.

Here are the numbers and where they are counted, without Triton; `adapter.export_metrics` makes them
part of what Triton's /metrics says.
"""

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import (
    REQUEST_ERRORS_BY_STATUS,
    DecoderCrashed,
    Full,
    RequestError,
    Unavailable,
)
from trireel_backend.extraction.task import Extracted, ExtractionTask, RunsTasks
from trireel_schema.stages import STAGES


class Kind(Enum):
    """Prometheus types."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Family:
    """A metric and the series it has in every model instance that counts it."""

    name: str
    description: str
    kind: Kind = Kind.COUNTER
    label: str = ""
    """A label beside those of the model and its instance."""
    values: tuple[str, ...] = ("",)
    """All values of that label; each has a series from the start: no first event is lost."""
    buckets: tuple[float, ...] = ()
    """Upper bounds, of a histogram."""


class Metrics(Protocol):
    """Where a model instance counts. No call raises: counting must not fail a request."""

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """Add to a counter or a gauge; `value` is that of the family's label."""

    def set(self, family: Family, amount: float) -> None:
        """Set a gauge."""

    def observe(self, family: Family, amount: float) -> None:
        """Count a value into a histogram."""


class Tally:
    """Metrics that nobody exports: numbers by name, and by name and label value."""

    def __init__(self) -> None:
        self.numbers: defaultdict[tuple[str, str], float] = defaultdict(float)
        self.observed: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, family: Family, amount: float = 1.0, value: str = "") -> None:
        """See `Metrics`."""
        self.numbers[family.name, value] += amount

    def set(self, family: Family, amount: float) -> None:
        """See `Metrics`."""
        self.numbers[family.name, ""] = amount

    def observe(self, family: Family, amount: float) -> None:
        """See `Metrics`."""
        self.observed[family.name].append(amount)


# All models
REFUSALS = Family(
    "trireel_refusals_total",
    "Requests that were answered with an error, by Triton's name of its status.",
    label="status",
    values=tuple(REQUEST_ERRORS_BY_STATUS),
)

# video_analysis, video_analysis_stream
OUTCOMES = ("ok", "refused", "failed", "cancelled", "full")
OUTCOMES_BY_STATUS = {
    **dict.fromkeys(REQUEST_ERRORS_BY_STATUS, "refused"),  # the request asked for it
    **dict.fromkeys(("INTERNAL", "UNAVAILABLE"), "failed"),  # it did not
    "CANCELLED": "cancelled",
}
VIDEOS = Family(
    "trireel_videos_total",
    "Requests for whole videos, by outcome.",
    label="outcome",
    values=OUTCOMES,
)
OPEN_VIDEOS = Family(
    "trireel_open_videos", "Requests for whole videos not yet answered.", Kind.GAUGE
)
WAITING_VIDEOS = Family(
    "trireel_waiting_videos", "Whole videos that wait for their turn.", Kind.GAUGE
)
WAITING_LIMIT = Family(
    "trireel_waiting_videos_limit", "Whole videos that may wait for their turn.", Kind.GAUGE
)
VIDEO_DURATION = Family(
    "trireel_video_analysis_duration_seconds",
    "Wall time from a whole video's arrival in its model to its last answer.",
    Kind.HISTOGRAM,
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800),
)
STAGE_SECONDS = Family(
    "trireel_stage_seconds_total",
    "Busy seconds of the stages of answered whole videos; stages overlap.",
    label="stage",
    values=STAGES,
)
WHOLE_VIDEO_FAMILIES = (
    *(REFUSALS, VIDEOS, OPEN_VIDEOS, WAITING_VIDEOS, WAITING_LIMIT),
    *(VIDEO_DURATION, STAGE_SECONDS),
)

# video_analysis_stream, for both
SPOOL_BYTES = Family(
    "trireel_spool_bytes", "Size of fetched and uploaded videos in the spool.", Kind.GAUGE
)
SPOOL_LIMIT_BYTES = Family(
    "trireel_spool_limit_bytes", "Size at which the spool drops what is not in use.", Kind.GAUGE
)
SPOOL_DISK_FREE_BYTES = Family(
    "trireel_spool_disk_free_bytes", "Free space of the file system of the spool.", Kind.GAUGE
)
SPOOL_SECONDS = 5.0  # between looks at it
STREAM_FAMILIES = (
    *WHOLE_VIDEO_FAMILIES,
    *(SPOOL_BYTES, SPOOL_LIMIT_BYTES, SPOOL_DISK_FREE_BYTES),
)

# frame_extractor
FRAMES = Family("trireel_frames_extracted_total", "Frames sampled from videos.")
DAMAGED_PACKETS = Family(
    "trireel_damaged_packets_total", "Packets that decoders could make nothing of, passed over."
)
WORKERS_LOST = Family(
    "trireel_extractor_workers_lost_total",
    "Decoding processes that died at work and were replaced: crashed by a file, or killed.",
    label="cause",
    values=("crashed", "killed"),
)
EXTRACTOR_FAMILIES = (REFUSALS, FRAMES, DAMAGED_PACKETS, WORKERS_LOST)

# temporal_decoder
CHUNKS = Family("trireel_chunks_total", "Chunks decoded.")
CUTS = Family("trireel_cuts_total", "Scene changes found.")
VIDEO_SECONDS = Family("trireel_video_seconds_total", "Length of the decoded chunks, as stated.")
LIVE_SEQUENCES = Family(
    "trireel_live_sequences", "Videos whose state is kept for their next chunk.", Kind.GAUGE
)
SEQUENCES_LIMIT = Family(
    "trireel_live_sequences_limit", "Sequences that clients may have open at once.", Kind.GAUGE
)
SEQUENCES_EXPIRED = Family(
    "trireel_sequences_expired_total", "Sequences dropped because no request came for too long."
)
DECODER_FAMILIES = (
    *(REFUSALS, CHUNKS, CUTS, VIDEO_SECONDS),
    *(LIVE_SEQUENCES, SEQUENCES_LIMIT, SEQUENCES_EXPIRED),
)


@contextmanager
def refusals_counted(metrics: Metrics) -> Iterator[None]:
    """Count what the answering of a request raises, by status."""
    try:
        yield
    except Exception as error:
        metrics.add(REFUSALS, value=_status(error))
        raise


@contextmanager
def video_counted(metrics: Metrics) -> Iterator[None]:
    """Count a whole video from its arrival to its outcome."""
    began = time.monotonic()
    metrics.add(OPEN_VIDEOS)
    status = "CANCELLED"  # what ends it otherwise is GeneratorExit: nobody wants the next answer
    outcome = "cancelled"
    try:
        yield
        status, outcome = "", "ok"
    except Exception as error:
        status = _status(error)
        outcome = "full" if isinstance(error, Full) else OUTCOMES_BY_STATUS[status]
        raise
    finally:
        metrics.add(OPEN_VIDEOS, -1)
        if status:
            metrics.add(REFUSALS, value=status)
        else:
            metrics.observe(VIDEO_DURATION, time.monotonic() - began)
        metrics.add(VIDEOS, value=outcome)


def _status(error: Exception) -> str:
    return error.status if isinstance(error, RequestError) else "INTERNAL"


def count_stages(metrics: Metrics, names: NDArray[Any], busy_ms: NDArray[np.float64]) -> None:
    """Count what a whole video's TIMING_STAGES and TIMING_MS say."""
    for name, milliseconds in zip(names, busy_ms, strict=True):
        if name.decode() in STAGES:
            metrics.add(STAGE_SECONDS, float(milliseconds) / 1e3, value=name.decode())


class CountedExtractor:
    """An extractor whose frames and deaths are counted."""

    def __init__(self, extractor: RunsTasks, metrics: Metrics) -> None:
        self._extractor = extractor
        self._metrics = metrics

    def run(self, task: ExtractionTask, is_cancelled: Callable[[], bool]) -> Extracted:
        """Do a task; raises RequestError."""
        try:
            extracted = self._extractor.run(task, is_cancelled)
        except DecoderCrashed:
            self._metrics.add(WORKERS_LOST, value="crashed")
            raise
        except Unavailable:
            self._metrics.add(WORKERS_LOST, value="killed")
            raise
        if len(extracted.pixels):
            self._metrics.add(FRAMES, len(extracted.pixels))
        if damaged := sum(part.damaged_packets for part in extracted.frames):
            self._metrics.add(DAMAGED_PACKETS, damaged)
        return extracted

    def close(self) -> None:
        """End the extractor."""
        self._extractor.close()


def measure_spool(
    metrics: Metrics, folder: Path, held_bytes: Callable[[], int], limit_bytes: int
) -> None:
    """Say how much the spool holds; one model of a server does it for all."""
    try:
        size_bytes = held_bytes()
        disk = os.statvfs(folder)
    except OSError:
        return  # a disk that does not answer is said so by who needs it
    metrics.set(SPOOL_BYTES, size_bytes)
    metrics.set(SPOOL_LIMIT_BYTES, limit_bytes)
    metrics.set(SPOOL_DISK_FREE_BYTES, disk.f_bavail * disk.f_frsize)


class Every:
    """Does something again and again in a thread of its own, until it is closed."""

    def __init__(self, seconds: float, action: Callable[[], None]) -> None:
        self._seconds = seconds
        self._action = action
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="every", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop, having finished what is under way."""
        self._closed.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.wait(self._seconds):
            self._action()
