# SPDX-License-Identifier: Apache-2.0
"""Detector: frames to boxes."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image
from ray import serve

BATCH = 8


@dataclass(frozen=True)
class Graph:
    """The exported detector, which takes uint8 RGB and does the rest itself."""

    onnx: Path
    size_px: tuple[int, int]
    """Width and height of the frames that it takes."""
    labels: tuple[str, ...]
    threshold: float
    """Least score of a box that is reported."""
    most_overlap: float
    """Largest intersection over union of two boxes with one label."""
    threads: int
    """Threads of the session."""


# Two at once: the frames of one are received while the others are computed.
@serve.deployment(max_ongoing_requests=2)
class Detector:
    """Finds objects on frames."""

    def __init__(self, graph: Graph) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = graph.threads
        # onnxruntime's threads spin by default, here at the cost of the ffmpeg processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        self._graph = graph
        self._session = ort.InferenceSession(
            graph.onnx, options, providers=["CPUExecutionProvider"]
        )

    async def __call__(self, frames: NDArray[np.uint8]) -> list[list[dict[str, Any]]]:
        """Return the objects on each frame of [N, H, W, 3]."""
        return await asyncio.to_thread(self._detect, frames)

    def _detect(self, frames: NDArray[np.uint8]) -> list[list[dict[str, Any]]]:
        found: list[list[dict[str, Any]]] = []
        for first in range(0, len(frames), BATCH):
            inputs = {"FRAMES": self._resized(frames[first : first + BATCH])}
            outputs = self._session.run(["BOXES", "SCORES", "LABELS"], inputs)
            found += [self._objects(*frame) for frame in zip(*outputs, strict=True)]
        return found

    def _resized(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize as the checkpoint's image processor does: Pillow's bilinear filter."""
        size_px = self._graph.size_px
        if frames.shape[2:0:-1] == size_px:
            return frames
        pictures = (
            Image.fromarray(frame).resize(size_px, Image.Resampling.BILINEAR) for frame in frames
        )
        return np.stack([np.asarray(picture) for picture in pictures])

    def _repeats(
        self, boxes: NDArray[np.float32], labels: NDArray[np.int32], row: int, better: list[int]
    ) -> bool:
        """Return whether a better box of the same label overlaps too much with a row's."""
        rivals = boxes[[other for other in better if labels[other] == labels[row]]]
        if self._graph.most_overlap >= 1 or len(rivals) == 0:
            return False
        sides = np.minimum(rivals[:, 2:], boxes[row, 2:]) - np.maximum(
            rivals[:, :2], boxes[row, :2]
        )
        shared = sides.clip(0).prod(axis=1)
        own, theirs = np.prod(boxes[row, 2:] - boxes[row, :2]), rivals[:, 2:] - rivals[:, :2]
        union = own + theirs.prod(axis=1) - shared
        return bool((shared > self._graph.most_overlap * union).any())

    def _objects(
        self, boxes: NDArray[np.float32], scores: NDArray[np.float32], labels: NDArray[np.int32]
    ) -> list[dict[str, Any]]:
        kept: list[int] = []
        for row in np.flatnonzero(scores >= self._graph.threshold).tolist():
            if not self._repeats(boxes, labels, row, kept):
                kept.append(row)
        return [
            {
                "label": self._graph.labels[labels[row]],
                "score": float(scores[row]),
                "box": boxes[row].tolist(),
            }
            for row in kept
        ]
