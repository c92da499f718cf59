# SPDX-License-Identifier: Apache-2.0
"""The tensors of captions on screen: those of the model `caption_extents`, for the catalogue."""

from trireel_schema.tensor import FindingTensors, Tensor

CAPTION_TENSORS = (
    Tensor("EVERY_FRAME_SIZE_PX", "INT32", (2,), "width, height of a view of every frame"),
    Tensor("TEXT_FPS", "FP64", (1,), "frames per second in which captions are looked for"),
    Tensor("FIND_REGION", "BOOL", (1,), "look where text keeps returning"),
    Tensor("WITH_CLIPS", "BOOL", (1,), "return the region's samples as clips"),
    Tensor("CLIP_SECONDS", "FP64", (1,), "length of a clip"),
    Tensor("TEXT_TEXTS", "BYTES", ("e",), "text of each caption that has ended"),
    Tensor("TEXT_CONFIDENCES", "FP32", ("e",), "mean probability of its characters, 0 to 1"),
    Tensor("TEXT_BOXES", "FP32", ("e", 4), "x1 y1 x2 y2 as fractions of the upright picture"),
    Tensor("TEXT_SPANS", "FP64", ("e", 2), "PTS of the first frame, and of the one behind"),
    Tensor("TEXT_LAST_SECONDS", "FP64", ("e",), "PTS of the last frame that shows it"),
    Tensor("TEXT_PTS", "INT64", ("e", 2), "first and last frame, in units of TIME_BASE"),
    Tensor("CLIP_INDICES", "INT32", ("j",), "position of each clip in the video"),
    Tensor("CLIP_SPANS", "FP64", ("j", 2), "PTS of its first frame, and of the one behind it"),
    Tensor("CLIP_NUM_FRAMES", "INT32", ("j",), "frames of each clip"),
    Tensor("STAGES", "BYTES", ("h",), "names of the stages, and total"),
    Tensor("STAGE_COUNTS", "INT64", ("h",), "items that each stage has finished so far"),
    Tensor("STAGE_BUSY_MS", "FP64", ("h",), "time of work so far; wall time in total"),
    Tensor("STAGE_STARVED_MS", "FP64", ("h",), "time that it waited for its input"),
    Tensor("STAGE_WAIT_MS", "FP64", ("h",), "time that it waited for room behind it"),
    Tensor("REGION", "FP64", (4,), "left, top, width, height as fractions of the picture"),
    Tensor("POSITION_SECONDS", "FP64", (1,), "PTS up to which the video has been read"),
)
"""The tensors of captions on screen, in the order of the docs."""

TEXT = FindingTensors(
    inputs=("TEXT_FPS",),
    outputs=(
        "TEXT_TEXTS",
        "TEXT_CONFIDENCES",
        "TEXT_BOXES",
        "TEXT_SPANS",
        "TEXT_LAST_SECONDS",
        "TEXT_PTS",
    ),
)
"""The tensors of the finding `text`."""
