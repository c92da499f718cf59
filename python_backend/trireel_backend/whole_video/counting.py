# SPDX-License-Identifier: Apache-2.0
"""Metrics of the models for whole videos."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import REQUEST_ERRORS_BY_STATUS, Full
from trireel_backend.metrics.family import Family, Kind, Metrics
from trireel_backend.metrics.refusals import REFUSALS, status_of
from trireel_schema.stages import STAGES

OUTCOMES = ("ok", "refused", "failed", "cancelled", "full")
OUTCOMES_BY_STATUS = {
    **dict.fromkeys(REQUEST_ERRORS_BY_STATUS, "refused"),  # a fault of the request
    **dict.fromkeys(("INTERNAL", "UNAVAILABLE"), "failed"),  # not its fault
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
    REFUSALS,
    VIDEOS,
    OPEN_VIDEOS,
    WAITING_VIDEOS,
    WAITING_LIMIT,
    VIDEO_DURATION,
    STAGE_SECONDS,
)


@contextmanager
def video_counted(metrics: Metrics) -> Iterator[None]:
    """Count a whole video from its arrival to its outcome."""
    began = time.monotonic()
    metrics.add(OPEN_VIDEOS)
    status = "CANCELLED"  # if GeneratorExit ends it: the client wants no further answer
    outcome = "cancelled"
    try:
        yield
        status, outcome = "", "ok"
    except Exception as error:
        status = status_of(error)
        outcome = "full" if isinstance(error, Full) else OUTCOMES_BY_STATUS[status]
        raise
    finally:
        metrics.add(OPEN_VIDEOS, -1)
        if status:
            metrics.add(REFUSALS, value=status)
        else:
            metrics.observe(VIDEO_DURATION, time.monotonic() - began)
        metrics.add(VIDEOS, value=outcome)


def count_stages(metrics: Metrics, names: NDArray[Any], busy_ms: NDArray[np.float64]) -> None:
    """Count the busy times in a whole video's TIMING_STAGES and TIMING_MS."""
    for name, milliseconds in zip(names, busy_ms, strict=True):
        if name.decode() in STAGES:
            metrics.add(STAGE_SECONDS, float(milliseconds) / 1e3, value=name.decode())
