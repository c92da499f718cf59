# SPDX-License-Identifier: Apache-2.0
"""Detections as a data set in COCO's format, which tools for labels and measures read."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trireel_client._files import write_whole
from trireel_client._findings import Detection
from trireel_client._objects.requested import detections_by_frame, objects_of, picture_size_of
from trireel_client._results import Analysis
from trireel_client._sources import ServerPath


def export_coco(
    analysis: Analysis,
    path: str | os.PathLike[str],
    *,
    video: str | os.PathLike[str] | ServerPath,
) -> None:
    """Write the detections of an analysis as a data set in COCO's format.

    Each frame that the detector looked at is an image. The file appears when it is complete.

    Args:
        path: file to write.
        video: path, URI or ServerPath of the video, by whose name the images are called.

    Raises:
        InvalidRequest: if objects were not requested.
        Unsupported: if the server did not report the size of the picture.
        OSError: if the file cannot be written.
    """
    name = video.path if isinstance(video, ServerPath) else os.fspath(video)
    data = coco_data_set(analysis, name.rpartition("/")[2] or name)
    write_whole(Path(path), (json.dumps(data, ensure_ascii=False, indent=1) + "\n").encode())


def coco_data_set(analysis: Analysis, name: str) -> dict[str, Any]:
    """Return the detections of an analysis as a data set in COCO's format.

    The images are called `NAME#t=SECONDS`, a media fragment that names one frame. Boxes are left,
    top, width, height in pixels of the upright picture. Categories are the labels found, in
    alphabetical order. Ids count from 1. Beside COCO's own fields, an image has
    `timestamp_seconds`, and an annotation has `score` and `track_id`.

    Args:
        name: name of the video.

    Raises:
        InvalidRequest: if objects were not requested.
        Unsupported: if the server did not report the size of the picture.
    """
    frames, size_px = detections_by_frame(objects_of(analysis)), picture_size_of(analysis)
    detections = [detection for found in frames.values() for detection in found]
    labels = sorted({detection.label for detection in detections})
    categories = {label: number for number, label in enumerate(labels, 1)}
    images = {seconds: number for number, seconds in enumerate(frames, 1)}
    return {
        "info": {"description": f"Objects in {name}"},
        "images": [
            {
                "id": number,
                "file_name": f"{name}#t={time:.6f}",
                "width": size_px[0],
                "height": size_px[1],
                "timestamp_seconds": time,
            }
            for time, number in images.items()
        ],
        "annotations": [
            {
                "id": number,
                "image_id": images[detection.timestamp_seconds],
                "category_id": categories[detection.label],
                **_place(detection, *size_px),
                "iscrowd": 0,
                "segmentation": [],
                "score": detection.score,
                "track_id": detection.track_id,
            }
            for number, detection in enumerate(detections, 1)
        ],
        "categories": [
            {"id": number, "name": label, "supercategory": ""}
            for label, number in categories.items()
        ],
    }


def _place(detection: Detection, width_px: int, height_px: int) -> Mapping[str, Any]:
    left, top, right, bottom = detection.box
    box_width_px, box_height_px = (right - left) * width_px, (bottom - top) * height_px
    box_px = [left * width_px, top * height_px, box_width_px, box_height_px]
    return {"bbox": [round(px, 3) for px in box_px], "area": round(box_width_px * box_height_px, 3)}
