# SPDX-License-Identifier: Apache-2.0
"""Tensors of the finding `objects` and of the model `object_tracker`, for the catalogue."""

from trireel_schema.tensor import FindingTensors, Tensor

OBJECT_TENSORS = (
    Tensor("OBJECTS", "BYTES", (1,), "combined for tracks over the video, or chunked"),
    Tensor("OBJECTS_FPS", "FP64", (1,), "frames per second in which objects are looked for"),
    Tensor("OBJECTS_LABELS", "BYTES", ("l",), "labels to return; the default is all"),
    Tensor("OBJECTS_THRESHOLD", "FP32", (1,), "smallest score of a detection"),
    Tensor("OBJECT_MODE", "BYTES", ("n",), "mode in force: combined or chunked"),
    Tensor("OBJECT_FRAME_TIMESTAMPS", "FP64", ("g",), "PTS of every frame that was looked at"),
    Tensor("OBJECT_TIMESTAMPS", "FP64", ("o",), "PTS of the frame of each detection"),
    Tensor("OBJECT_CHUNK_INDICES", "INT32", ("o",), "chunk of each detection"),
    Tensor("OBJECT_BOXES", "FP32", ("o", 4), "left, top, right, bottom: fractions of the picture"),
    Tensor("OBJECT_SCORES", "FP32", ("o",), "score of each detection, 0 to 1"),
    Tensor("OBJECT_LABELS", "BYTES", ("o",), "label of each detection"),
    Tensor("OBJECT_TRACK_IDS", "INT64", ("o",), "track of each detection, -1 without a track"),
    Tensor("TRACK_IDS", "INT64", ("r",), "tracks of the video so far, counted from 1"),
    Tensor("TRACK_LABELS", "BYTES", ("r",), "their labels"),
    Tensor("TRACK_SPANS", "FP64", ("r", 2), "PTS of the first and the last detection of each"),
    Tensor("TRACK_SCORES", "FP32", ("r",), "best score of each"),
    Tensor("TRACK_BEST_SECONDS", "FP64", ("r",), "PTS of the detection with this score"),
    Tensor("TRACK_BEST_BOXES", "FP32", ("r", 4), "its box, as OBJECT_BOXES"),
    Tensor("ONSCREEN_LABELS", "BYTES", ("i",), "label that is on screen in each interval"),
    Tensor("ONSCREEN_SPANS", "FP64", ("i", 2), "first and last PTS of each interval"),
    Tensor("BOXES", "FP32", ("N", "K", 4), "left, top, right, bottom: fractions of the frame"),
    Tensor("SCORES", "FP32", ("N", "K"), "their scores, 0 to 1, the best of a frame first"),
    Tensor("LABELS", "INT32", ("N", "K"), "indices of their labels"),
    Tensor("BOX_TRACK_IDS", "INT64", ("f", "K"), "track of each of BOXES, -1 without a track"),
    Tensor("DETECTOR", "BYTES", (1,), "name of the detector's checkpoint, empty without one"),
    Tensor("DETECTOR_NOTE", "BYTES", (1,), "what people should know of it; may be empty"),
    Tensor("DETECTOR_LABELS", "BYTES", ("l",), "labels that the detector knows"),
    Tensor("DETECTOR_THRESHOLD", "FP32", (1,), "smallest score, if a request does not set it"),
)

OBJECTS = FindingTensors(
    inputs=("OBJECTS", "OBJECTS_FPS", "OBJECTS_LABELS", "OBJECTS_THRESHOLD"),
    outputs=(
        "OBJECT_MODE",
        "OBJECT_FRAME_TIMESTAMPS",
        "OBJECT_TIMESTAMPS",
        "OBJECT_CHUNK_INDICES",
        "OBJECT_BOXES",
        "OBJECT_SCORES",
        "OBJECT_LABELS",
        "OBJECT_TRACK_IDS",
        "TRACK_IDS",
        "TRACK_LABELS",
        "TRACK_SPANS",
        "TRACK_SCORES",
        "TRACK_BEST_SECONDS",
        "TRACK_BEST_BOXES",
        "ONSCREEN_LABELS",
        "ONSCREEN_SPANS",
    ),
)
