# SPDX-License-Identifier: Apache-2.0
"""Sums over the raw numbers: scores by set, kind and group, errors of time, cost."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from benchmarks.common.counts import Counts, total
from benchmarks.scenes.labelled import QUIET
from benchmarks.scenes.score import summary

ONE_FRAME = "1 frame"
TEN_MINUTES = 10


@dataclass(frozen=True)
class Set:
    """The videos of one set, such as drawn or real."""

    name: str
    """Name of the set: the folder of its videos."""
    videos: tuple[dict[str, Any], ...]
    """The raw numbers of its videos."""

    @cached_property
    def edits(self) -> list[dict[str, Any]]:
        """The videos that have transitions, whose scores count."""
        return [video for video in self.videos if video["group"] != QUIET]

    @cached_property
    def quiet(self) -> list[dict[str, Any]]:
        """The videos without any transition, in which false events are counted."""
        return [video for video in self.videos if video["group"] == QUIET]

    @cached_property
    def detectors(self) -> list[str]:
        """Names of the detectors that have numbers of every video."""
        names = dict.fromkeys(name for video in self.videos for name in video["found"])
        return [name for name in names if all(name in video["found"] for video in self.videos)]

    @property
    def groups(self) -> list[str]:
        """Groups of the edits."""
        return list(dict.fromkeys(video["group"] for video in self.edits))

    @property
    def kinds(self) -> dict[str, int]:
        """Number of true transitions of each kind."""
        found: dict[str, int] = {}
        for video in self.edits:
            for kind, number in video["transitions"].items():
                found[kind] = found.get(kind, 0) + number
        return found

    def counts(
        self,
        detector: str,
        tolerance: str = ONE_FRAME,
        *,
        kind: str | None = None,
        group: str | None = None,
    ) -> Counts:
        """Return the counts of the edits, of all kinds and groups or of one."""
        videos = (v for v in self.edits if group in (None, v["group"]))
        return total(_counts(videos, detector, tolerance, kind))

    def cpu_seconds_a_minute(self, detector: str) -> float:
        """Return the CPU time for a minute of the edits."""
        seconds = sum(video["found"][detector]["cpu_seconds"] for video in self.edits)
        return float(seconds / sum(video["minutes"] for video in self.edits))

    def false_in_ten_minutes(self, detector: str) -> float | None:
        """Return the false events in ten minutes without any transition; None without videos."""
        minutes = sum(video["minutes"] for video in self.quiet)
        events = sum(len(video["found"][detector]["events"]) for video in self.quiet)
        return events / minutes * TEN_MINUTES if minutes else None

    def errors_ms(self, detector: str) -> dict[str, float]:
        """Return median, p95 and maximum of the errors of hard cuts in milliseconds."""
        return summary([ms for ms, _ in _errors(self.edits, detector)])

    def vfr_half_frames(self, detector: str) -> dict[str, float]:
        """Return the same in half frames, of the videos of an uneven rate."""
        uneven = [video for video in self.edits if video["vfr"]]
        return summary([half_frames for _, half_frames in _errors(uneven, detector)])


def sets(report: dict[str, Any]) -> list[Set]:
    """Return the sets of a report."""
    by_set: dict[str, list[dict[str, Any]]] = {}
    for name, video in report["videos"].items():
        by_set.setdefault(name.split("/")[0], []).append(video)
    return [Set(name, tuple(videos)) for name, videos in by_set.items()]


def _counts(
    videos: Iterable[dict[str, Any]], detector: str, tolerance: str, kind: str | None
) -> Iterator[Counts]:
    for video in videos:
        for found, counts in video["found"][detector]["scores"][tolerance].items():
            if kind in (None, found):
                yield Counts(*counts)


def _errors(videos: Iterable[dict[str, Any]], detector: str) -> Iterator[tuple[float, float]]:
    for video in videos:
        yield from video["found"][detector]["errors_ms_and_half_frames"]
