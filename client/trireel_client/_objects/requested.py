# SPDX-License-Identifier: Apache-2.0
"""The parts of an analysis that a file of its objects needs."""

from trireel_client._errors import InvalidRequest, Unsupported
from trireel_client._findings import Detection, Objects
from trireel_client._results import Analysis


def objects_of(analysis: Analysis) -> Objects:
    """Return the objects of an analysis; raises InvalidRequest if they were not requested."""
    if analysis.objects is None:
        raise InvalidRequest("the analysis has no objects: add 'objects' to find")
    return analysis.objects


def detections_by_frame(objects: Objects) -> dict[float, list[Detection]]:
    """Return the detections of each frame looked at, by its PTS in seconds, in order.

    In mode `chunked`, a frame that stays on screen from one chunk to the next is looked at twice.
    The detections of the first chunk count.
    """
    frames: dict[float, list[Detection]] = {
        seconds: [] for seconds in sorted(objects.frame_timestamps_seconds)
    }
    for detection in objects.detections:
        found = frames[detection.timestamp_seconds]
        if not found or found[0].chunk_index == detection.chunk_index:
            found.append(detection)
    return frames


def picture_size_of(analysis: Analysis) -> tuple[int, int]:
    """Return width and height in pixels; raises Unsupported if the server did not report them."""
    if analysis.picture_size_px is None:
        raise Unsupported("the server does not report the size of the picture, which boxes need")
    return analysis.picture_size_px
