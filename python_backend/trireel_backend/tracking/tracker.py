# SPDX-License-Identifier: Apache-2.0
"""ByteTrack: from the detections of the next frame to their tracks.

Y. Zhang and others, ByteTrack: Multi-Object Tracking by Associating Every Detection Box, 2022.
First, strong detections are assigned to tracks by the overlap with the box that each track is
predicted to have. Then weak detections are assigned to the tracks that are left: an object that is
partly hidden has a low score, and its track goes on. A strong detection without a track begins one.
Times are seconds, not frames, since frames are sampled at any rate, and tracks have one label.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from trireel_backend.tracking.assignment import Pairs, best_pairs
from trireel_backend.tracking.boxes import Boxes, areas, enlarged, overlaps
from trireel_backend.tracking.motion import Motion, predict, update

NO_TRACK = -1
FIRST_ID = 1
MOST_LIVE_TRACKS = 512
"""Most tracks that wait for their next detection; those that were seen last are kept."""
MOST_DETECTIONS = 200
"""Most detections of a frame that get a track, those with the highest scores. If all overlap with
all, their assignment takes a third of a second."""


@dataclass(frozen=True)
class TrackerSettings:
    """What is a strong detection, and when a detection belongs to a track."""

    strong_score: float
    """Smallest score of a detection that may begin a track."""
    weak_score: float
    """Smallest score of a detection that may continue a track."""
    least_overlap: float = 0.1
    """Smallest intersection over union of a detection and the predicted box of its track."""
    reach: float = 0.5
    """Share of their sides by which boxes are enlarged for tracks and detections that are left: an
    object that moves fast does not overlap with itself."""
    buffer_seconds: float = 3.0
    """Time after which a track without a detection ends."""

    @classmethod
    def of_threshold(cls, threshold: float) -> "TrackerSettings":
        """Return the settings for a smallest score of reported detections."""
        return cls(strong_score=threshold, weak_score=threshold / 5)


@dataclass(frozen=True)
class Detections:
    """The detections of one frame."""

    boxes: Boxes
    """[d, 4] left, top, right, bottom, as fractions of the picture."""
    scores: NDArray[np.float64]
    """[d] 0 to 1."""
    labels: NDArray[np.int32]
    """[d] indices of their labels."""

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int_]) -> "Detections":
        """Return the detections of some rows."""
        return Detections(self.boxes[rows], self.scores[rows], self.labels[rows])


@dataclass(frozen=True)
class Tracker:
    """The live tracks of a video after a frame."""

    ids: NDArray[np.int64]
    """[t] ids of the tracks, in order."""
    labels: NDArray[np.int32]
    """[t] indices of their labels."""
    motion: Motion
    """[t] filters of their boxes, at the time of the frame."""
    seen_seconds: NDArray[np.float64]
    """[t] PTS of the last detection of each."""
    next_id: int
    """Id of the next track that begins."""
    seconds: float
    """PTS of the frame."""

    def __post_init__(self) -> None:
        count = len(self.ids)
        arrays = (self.ids, self.labels, self.seen_seconds)
        if any(array.shape != (count,) for array in arrays) or len(self.motion.values) != count:
            raise ValueError("the tracks have arrays of different lengths")  # a state from outside

    def part(self, rows: NDArray[np.bool_] | NDArray[np.int_]) -> "Tracker":
        """Return the same with some of the tracks."""
        return replace(
            self,
            ids=self.ids[rows],
            labels=self.labels[rows],
            motion=self.motion.part(rows),
            seen_seconds=self.seen_seconds[rows],
        )


def new_tracker() -> Tracker:
    """Return a tracker before the first frame."""
    return Tracker(
        ids=np.zeros(0, np.int64),
        labels=np.zeros(0, np.int32),
        motion=Motion.of(np.zeros((0, 4))),
        seen_seconds=np.zeros(0),
        next_id=FIRST_ID,
        seconds=0.0,
    )


def advance(
    tracker: Tracker, detections: Detections, seconds: float, settings: TrackerSettings
) -> tuple[Tracker, NDArray[np.int64]]:
    """Return the tracker after a frame, and the track of each detection [d], NO_TRACK without one.

    Args:
        detections: those of the frame, in any order; those below the weak score get no track, and
            those without an area.
        seconds: PTS of the frame, not before that of the last one.
    """
    ids = np.full(len(detections.scores), NO_TRACK, np.int64)
    usable = _usable(detections, settings)
    if len(usable) < len(ids):
        tracker, ids[usable] = advance(tracker, detections.part(usable), seconds, settings)
        return tracker, ids
    tracker = _predicted(tracker, seconds, settings)
    rows, columns = _rows_and_columns(_associated(tracker, detections, settings))
    ids[columns] = tracker.ids[rows]
    tracker = _continued(tracker, rows, detections.part(columns), seconds)
    born = np.flatnonzero((ids == NO_TRACK) & (detections.scores >= settings.strong_score))
    ids[born] = tracker.next_id + np.arange(len(born))
    tracker = _with_born(tracker, detections.part(born), seconds)
    if len(tracker.ids) > MOST_LIVE_TRACKS:
        newest = np.argsort(tracker.seen_seconds, kind="stable")[-MOST_LIVE_TRACKS:]
        tracker = tracker.part(np.sort(newest))
    return tracker, ids


def _usable(detections: Detections, settings: TrackerSettings) -> NDArray[np.int_]:
    """Return the rows, in order, of the detections that may get a track."""
    is_usable = (detections.scores >= settings.weak_score) & (areas(detections.boxes) > 0)
    rows = np.flatnonzero(is_usable)
    best = np.argsort(-detections.scores[rows], kind="stable")[:MOST_DETECTIONS]
    return np.sort(rows[best])


def _predicted(tracker: Tracker, seconds: float, settings: TrackerSettings) -> Tracker:
    """Return the tracks that still wait, with their boxes predicted for a frame."""
    tracker = tracker.part(seconds - tracker.seen_seconds <= settings.buffer_seconds)
    is_hidden = tracker.seen_seconds < tracker.seconds
    motion = tracker.motion.with_constant_sides(is_hidden)
    return replace(tracker, motion=predict(motion, max(0.0, seconds - tracker.seconds)))


def _associated(tracker: Tracker, detections: Detections, settings: TrackerSettings) -> Pairs:
    """Return pairs of a track and a detection."""
    boxes, was_seen = tracker.motion.boxes, tracker.seen_seconds >= tracker.seconds
    is_strong = detections.scores >= settings.strong_score
    is_weak = ~is_strong & (detections.scores >= settings.weak_score)
    everything = np.ones(len(boxes), np.bool_)
    stages = (
        (everything, is_strong, 0.0),
        (everything, is_weak, 0.0),
        (was_seen, is_strong, settings.reach),
    )
    same_label = tracker.labels[:, None] == detections.labels[None]
    pairs: Pairs = []
    for of_tracks, of_detections, reach in stages:
        if not of_detections.any():
            continue
        taken_rows, taken_columns = _rows_and_columns(pairs)
        possible = of_tracks[:, None] & of_detections[None] & same_label
        possible[taken_rows] = False
        possible[:, taken_columns] = False
        if not possible.any():
            continue
        similarity = overlaps(enlarged(boxes, reach), enlarged(detections.boxes, reach))
        pairs += best_pairs(np.where(possible, similarity, 0.0), settings.least_overlap)
    return pairs


def _rows_and_columns(pairs: Pairs) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    array = np.array(pairs, np.int_).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def _continued(
    tracker: Tracker, rows: NDArray[np.int_], detections: Detections, seconds: float
) -> Tracker:
    """Return the tracks after some were seen."""
    seen = update(tracker.motion.part(rows), detections.boxes)
    values, speeds = tracker.motion.values.copy(), tracker.motion.speeds.copy()
    variances = tracker.motion.variances.copy()
    values[rows], speeds[rows], variances[rows] = seen.values, seen.speeds, seen.variances
    seen_seconds = tracker.seen_seconds.copy()
    seen_seconds[rows] = seconds
    return replace(
        tracker,
        motion=Motion(values, speeds, variances),
        seen_seconds=seen_seconds,
        seconds=seconds,
    )


def _with_born(tracker: Tracker, detections: Detections, seconds: float) -> Tracker:
    count = len(detections.scores)
    return Tracker(
        ids=np.concatenate([tracker.ids, tracker.next_id + np.arange(count)]),
        labels=np.concatenate([tracker.labels, detections.labels]),
        motion=tracker.motion.then(Motion.of(detections.boxes)),
        seen_seconds=np.concatenate([tracker.seen_seconds, np.full(count, seconds)]),
        next_id=tracker.next_id + count,
        seconds=seconds,
    )
