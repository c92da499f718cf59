# SPDX-License-Identifier: Apache-2.0
"""Analyses with objects on chosen frames."""

from dataclasses import replace

from unit.client.detected import with_objects

from trireel_client import Analysis, Detection, Objects, ServerInfo
from trireel_client._findings import Box
from trireel_client._flows.parse import parse_analysis


def scripted_analysis() -> Analysis:
    """Return the analysis of the scripted answer with objects."""
    server = ServerInfo("triton", "2.51.0")
    tensors = with_objects()
    return parse_analysis(tensors, ("objects",), stream_id="id", server=server, client_ms=50.0)


def analysis_with(boxes: dict[float, Box | None], size_px: tuple[int, int]) -> Analysis:
    """Return an analysis with at most one object on each frame looked at.

    Args:
        boxes: the box of the object by the PTS of the frame; None for a frame without objects.
        size_px: width and height of the upright picture.
    """
    detections = tuple(
        Detection(timestamp_seconds=time, chunk_index=0, label="person", score=0.9, box=box)
        for time, box in boxes.items()
        if box is not None
    )
    objects = Objects(
        mode="chunked",
        labels_on_screen=(),
        tracks=(),
        detections=detections,
        frame_timestamps_seconds=tuple(boxes),
    )
    return replace(scripted_analysis(), objects=objects, picture_size_px=size_px)
