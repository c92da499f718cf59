# SPDX-License-Identifier: Apache-2.0
"""Answers of `object_tracker`: the tracks of boxes that a client's own detector has found."""

import threading
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import Full, InvalidInput
from trireel_backend.findings.open_videos import SEQUENCE_HINT_SECONDS, STORE_MARGIN_SECONDS
from trireel_backend.findings.sequences import SequenceStore
from trireel_backend.metrics.family import Metrics
from trireel_backend.metrics.refusals import REFUSALS, refusals_counted
from trireel_backend.models.temporal_decoder import (
    LIVE_SEQUENCES,
    SEQUENCES_EXPIRED,
    SEQUENCES_LIMIT,
)
from trireel_backend.tracking.tracker import (
    NO_TRACK,
    Detections,
    Tracker,
    TrackerSettings,
    advance,
    new_tracker,
)
from trireel_backend.wire.parameters import (
    at_least_one,
    model_parameters,
    read_settings,
    sequence_idle_seconds,
)
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors

SWEEP_SECONDS = 5.0  # between sweeps for idle videos
MOST_BOXES = 10_000  # of a request: 100 frames of 100 boxes
DEFAULT_THRESHOLD = 0.5
TRACKER_FAMILIES = (REFUSALS, LIVE_SEQUENCES, SEQUENCES_LIMIT, SEQUENCES_EXPIRED)


@dataclass(frozen=True)
class TrackerLimits:
    """Parameters of the model's config."""

    max_sequences: int = 256
    """Most sequences open in one instance; a further sequence is rejected at its START."""

    def __post_init__(self) -> None:
        """Check the limit; raises StartupError if it is below 1."""
        at_least_one("max_sequences", self.max_sequences)


@dataclass(frozen=True)
class Boxes:
    """The boxes of some frames."""

    boxes: NDArray[np.float32]
    """[f, K, 4] left, top, right, bottom: fractions or pixels."""
    scores: NDArray[np.float32]
    """[f, K] 0 to 1."""
    labels: NDArray[np.int32]
    """[f, K] indices of labels."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of the frames."""

    def __post_init__(self) -> None:
        frames, per_frame = self.boxes.shape[:2]
        shapes = [self.scores.shape, self.labels.shape, self.timestamps_seconds.shape]
        if shapes != [(frames, per_frame), (frames, per_frame), (frames,)]:
            raise InvalidInput(
                f"got BOXES {list(self.boxes.shape)}, SCORES, LABELS and TIMESTAMPS"
                f" {', '.join(str(list(shape)) for shape in shapes)}: send [f, K, 4], [f, K],"
                " [f, K] and [f]"
            )
        if frames == 0 or frames * max(1, per_frame) > MOST_BOXES:
            raise InvalidInput(
                f"got {frames} frames of {per_frame} boxes: send 1 frame or more, and at most"
                f" {MOST_BOXES} boxes in all"
            )
        for name, array in (("BOXES", self.boxes), ("SCORES", self.scores)):
            if not np.isfinite(array).all():
                raise InvalidInput(f"{name} hold a value that is not a number: leave the box out")
        times = self.timestamps_seconds
        if not np.isfinite(times).all() or (np.diff(times) <= 0).any():
            raise InvalidInput("TIMESTAMPS do not increase: send the PTS of each frame in order")

    @classmethod
    def of(cls, request: Request) -> "Boxes":
        """Read the inputs; raises InvalidInput."""
        return cls(*(request.required(name) for name in INPUTS))


INPUTS = ("BOXES", "SCORES", "LABELS", "TIMESTAMPS")


class SequenceTracker:
    """The tracks of every live video; used by one thread, swept by another."""

    def __init__(self, limits: TrackerLimits, *, idle_seconds: float, metrics: Metrics) -> None:
        """Keep no state yet.

        Args:
            limits: limits of the sequences.
            idle_seconds: time after which Triton drops a sequence without requests.
            metrics: counts sequences.
        """
        self._limits = limits
        self._metrics = metrics
        self._lock = threading.Lock()
        self._videos: SequenceStore[Tracker] = SequenceStore(
            new_tracker,
            idle_seconds=idle_seconds + min(STORE_MARGIN_SECONDS, idle_seconds),
            expired=partial(metrics.add, SEQUENCES_EXPIRED),
        )
        metrics.set(SEQUENCES_LIMIT, limits.max_sequences)

    @classmethod
    def of_model(cls, model_config_json: str, metrics: Metrics) -> "SequenceTracker":
        """Read timeout and limit of the model's config; raises StartupError."""
        limits = read_settings(TrackerLimits, model_parameters(model_config_json))
        idle_seconds = sequence_idle_seconds(model_config_json)
        return cls(limits, idle_seconds=idle_seconds, metrics=metrics)

    def answer(self, request: Request) -> Tensors:
        """Return BOX_TRACK_IDS [f, K]: the track of each box, NO_TRACK without one.

        Raises:
            InvalidInput: if the request is wrong; the state of the video does not change.
            Full: if a sequence would begin, and the most allowed are open.
        """
        with self._lock, refusals_counted(self._metrics):
            try:
                return {"BOX_TRACK_IDS": self._answer(request)}
            finally:
                self._metrics.set(LIVE_SEQUENCES, len(self._videos))

    def sweep(self) -> None:
        """Drop idle videos; needed while no requests arrive."""
        with self._lock:
            self._videos.forget_idle()
            self._metrics.set(LIVE_SEQUENCES, len(self._videos))

    def _answer(self, request: Request) -> NDArray[np.int64]:
        self._check_room(request)
        sequence = request.correlation_id
        tracker = self._videos.take(sequence, start=request.starts, end=request.ends)
        boxes, settings = Boxes.of(request), _settings(request)
        if tracker.ids.size and boxes.timestamps_seconds[0] <= tracker.seconds:
            raise InvalidInput(
                f"the frames are late: they begin at {boxes.timestamps_seconds[0]:g} s, and the"
                f" last frame of the sequence was at {tracker.seconds:g} s; the state has not"
                " changed: send the next frames, or START to begin anew"
            )
        ids = np.full(boxes.scores.shape, NO_TRACK, np.int64)
        for row, seconds in enumerate(boxes.timestamps_seconds.tolist()):
            detections = Detections(
                boxes.boxes[row].astype(np.float64),
                boxes.scores[row].astype(np.float64),
                boxes.labels[row].copy(),
            )
            tracker, ids[row] = advance(tracker, detections, seconds, settings)
        if not request.ends:
            self._videos.put(sequence, tracker)
        return ids

    def _check_room(self, request: Request) -> None:
        if request.ends or not request.starts or request.correlation_id in self._videos:
            return
        if len(self._videos) >= self._limits.max_sequences:
            self._videos.forget_idle()
        if len(self._videos) >= self._limits.max_sequences:
            raise Full(
                f"the server is full: {len(self._videos)} sequences are open in it, the most"
                f" allowed: ask again in about {SEQUENCE_HINT_SECONDS} s, or ask another server"
            )


def _settings(request: Request) -> TrackerSettings:
    threshold = request.number("OBJECTS_THRESHOLD", float)
    if threshold is not None and not 0 < threshold <= 1:
        raise InvalidInput(f"OBJECTS_THRESHOLD is {threshold:g}: give a number above 0, up to 1")
    return TrackerSettings.of_threshold(DEFAULT_THRESHOLD if threshold is None else threshold)
