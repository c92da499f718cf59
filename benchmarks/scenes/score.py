# SPDX-License-Identifier: Apache-2.0
"""Scores of a detector: events against true transitions, matched one to one.

An event has a time and an interval; an event of a detector that reports times only has an interval
of no length. It matches a hard cut by its time, and a gradual transition by its interval. A hard
cut's time is the PTS of its first new frame, so the tolerance counts frames of the file itself:
nothing is computed from a frame rate.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.common.counts import SLACK_SECONDS, Counts

CUT = "cut"
KINDS = (CUT, "dissolve", "fade", "wipe")
LATE_SECONDS = 0.5


@dataclass(frozen=True)
class Transition:
    """A true transition."""

    kind: str
    """One of KINDS."""
    begin_seconds: float
    """PTS of the first mixed frame; of a cut, PTS of the first new frame."""
    end_seconds: float
    """PTS of the first frame that shows just the new shot."""


@dataclass(frozen=True)
class Event:
    """A transition that a detector reports."""

    seconds: float
    """Time of the event; of a cut, PTS of the first new frame."""
    begin_seconds: float
    """Begin of the event's interval."""
    end_seconds: float
    """End of the interval."""

    @classmethod
    def at(cls, seconds: float) -> "Event":
        """Return the event of a detector that reports times only."""
        return cls(seconds, seconds, seconds)


@dataclass(frozen=True)
class Tolerance:
    """The distance from the truth at which an event still matches."""

    frames: int | None = None
    """Number of frames; None to count in seconds."""
    seconds: float = 0.0
    """Number of seconds, if `frames` is None."""


TOLERANCES: Mapping[str, Tolerance] = {
    "0 frames": Tolerance(0),
    "1 frame": Tolerance(1),
    "0.5 s": Tolerance(None, LATE_SECONDS),
}


@dataclass(frozen=True)
class Video:
    """The truth of one video."""

    transitions: tuple[Transition, ...]
    """True transitions in order."""
    pts_seconds: tuple[float, ...]
    """PTS of all frames in order."""

    def index(self, seconds: float) -> int:
        """Return the index of the frame that is nearest to a time."""
        after = bisect_left(self.pts_seconds, seconds)
        near = [i for i in (after - 1, after) if 0 <= i < len(self.pts_seconds)]
        return min(near, key=lambda i: abs(self.pts_seconds[i] - seconds))

    def frame_seconds(self, seconds: float) -> float:
        """Return the distance from the frame at a time to its nearer neighbour."""
        at, pts = self.index(seconds), self.pts_seconds
        gaps = [b - a for a, b in zip(pts[max(0, at - 1) : at + 1], pts[at : at + 2], strict=False)]
        return min(gaps)


def match(
    video: Video, events: Sequence[Event], tolerance: Tolerance
) -> list[tuple[Transition, Event]]:
    """Return the largest set of pairs of a transition and an event that match, one to one.

    Nearer pairs are tried first, and an event is moved to another transition only if that makes
    one more pair.
    """
    truths = video.transitions
    choices = [
        sorted(
            (e for e, event in enumerate(events) if matches(video, truth, event, tolerance)),
            key=lambda e: distance(truth, events[e]),
        )
        for truth in truths
    ]
    taken: dict[int, int] = {}

    def place(truth: int, tried: set[int]) -> bool:
        for event in choices[truth]:
            if event not in tried:
                tried.add(event)
                if event not in taken or place(taken[event], tried):
                    taken[event] = truth
                    return True
        return False

    nearest_first = sorted(
        (t for t in range(len(truths)) if choices[t]),
        key=lambda t: distance(truths[t], events[choices[t][0]]),
    )
    for truth in nearest_first:
        place(truth, set())
    pairs = sorted((truth, event) for event, truth in taken.items())
    return [(truths[truth], events[event]) for truth, event in pairs]


def matches(video: Video, truth: Transition, event: Event, tolerance: Tolerance) -> bool:
    """Return whether an event may stand for a transition."""
    if tolerance.frames is None:
        slack = tolerance.seconds + SLACK_SECONDS
        if truth.kind == CUT:
            return abs(event.seconds - truth.begin_seconds) <= slack
        first, last = truth.begin_seconds - slack, truth.end_seconds + slack
    else:
        if truth.kind == CUT:
            return _frames_apart(video, event.seconds, truth.begin_seconds) <= tolerance.frames
        pts, end = video.pts_seconds, len(video.pts_seconds) - 1
        first = pts[max(0, video.index(truth.begin_seconds) - tolerance.frames)] - SLACK_SECONDS
        last = pts[min(end, video.index(truth.end_seconds) + tolerance.frames)] + SLACK_SECONDS
    return event.begin_seconds <= last and event.end_seconds >= first


def _frames_apart(video: Video, first: float, second: float) -> float:
    """Return the distance of two times in frames; a time between two frames is half a frame off."""
    index = video.index(first)
    off = abs(video.pts_seconds[index] - first)
    half = 0.5 if off > max(SLACK_SECONDS, video.frame_seconds(first) / 4) else 0.0
    return abs(index - video.index(second)) + half


def distance(truth: Transition, event: Event) -> float:
    """Return the seconds from an event to a cut, or to the middle of a gradual transition."""
    return abs(event.seconds - (truth.begin_seconds + truth.end_seconds) / 2)


def count(video: Video, events: Sequence[Event], tolerance: Tolerance) -> dict[str, Counts]:
    """Return the counts of a video by kind of transition, for those kinds that it has or needs.

    A false event counts for the kind of the transition that is nearest in time; in a video without
    transitions it counts as a cut.
    """
    pairs = match(video, events, tolerance)
    hits = Counter(truth.kind for truth, _ in pairs)
    true = Counter(truth.kind for truth in video.transitions)
    matched = {id(event) for _, event in pairs}
    false = Counter(_nearest_kind(video, event) for event in events if id(event) not in matched)
    return {
        kind: Counts(hits[kind], true[kind] - hits[kind], false[kind])
        for kind in KINDS
        if true[kind] or false[kind]
    }


def _nearest_kind(video: Video, event: Event) -> str:
    if not video.transitions:
        return CUT
    return min(video.transitions, key=lambda truth: distance(truth, event)).kind


@dataclass(frozen=True)
class TimeError:
    """Distance of the matched events from the hard cuts they stand for."""

    seconds: float
    """Distance in seconds."""
    half_frames: float
    """Distance in halves of the cut's own frame distance, for videos of an uneven rate."""


def time_errors(video: Video, events: Sequence[Event]) -> list[TimeError]:
    """Return the errors of all hard cuts that an event within half a second stands for."""
    pairs = match(video, events, TOLERANCES["0.5 s"])
    return [
        TimeError(error, 2 * error / video.frame_seconds(truth.begin_seconds))
        for truth, event in pairs
        if truth.kind == CUT
        for error in (abs(event.seconds - truth.begin_seconds),)
    ]


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return median, 95th percentile and maximum of values; empty without values."""
    if not values:
        return {}
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return {"median": median(ordered), "p95": p95, "max": ordered[-1]}
