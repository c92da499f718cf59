# SPDX-License-Identifier: Apache-2.0
"""The scenes of an analysis, also of one that reports scene changes alone."""

from collections.abc import Sequence
from itertools import pairwise

from trireel_client._errors import InvalidRequest
from trireel_client._findings import Shot
from trireel_client._results import Analysis


def shots_of(analysis: Analysis) -> Sequence[Shot]:
    """Return the scenes of an analysis, in order, at least one.

    A server that is older than this client reports scene changes alone: its scenes lie between
    them, without tags.

    Raises:
        InvalidRequest: if scenes were not requested.
    """
    if analysis.shots:
        return analysis.shots
    if not any(chunk.scene_trace for chunk in analysis.chunks):
        raise InvalidRequest("the analysis holds no scenes: request the finding scenes")
    start = analysis.start_seconds
    changes = {change.timestamp_seconds for change in analysis.scene_changes} - {start}
    bounds = [start, *sorted(changes), start + analysis.duration_seconds]
    frames = [time for chunk in analysis.chunks for time in chunk.frame_timestamps_seconds]
    return [
        Shot(
            start_seconds=begin,
            end_seconds=end,
            representative_seconds=_middle_frame(frames, begin, end),
        )
        for begin, end in pairwise(bounds)
    ]


def _middle_frame(frames_seconds: Sequence[float], begin: float, end: float) -> float:
    inside = [time for time in frames_seconds if begin <= time < end]
    return min(inside, key=lambda time: abs(time - (begin + end) / 2), default=begin)
