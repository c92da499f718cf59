# SPDX-License-Identifier: Apache-2.0
"""VideoEncoder: frames to embeddings."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from PIL import Image
from ray import serve


@dataclass(frozen=True)
class Tower:
    """The exported vision tower, which takes uint8 RGB and does the rest itself."""

    onnx: Path
    size_px: int
    """Width and height of the pictures that it takes."""
    threads: int
    """Of its session."""


# Two at once: one chunk is resized while the other one is encoded.
@serve.deployment(max_ongoing_requests=2)
class VideoEncoder:
    """Encodes chunks."""

    def __init__(self, tower: Tower) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = tower.threads
        # onnxruntime's threads spin by default, here at the cost of the ffmpeg processes.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        self._session = ort.InferenceSession(
            tower.onnx, options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name
        self._size_px = tower.size_px

    async def __call__(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the embeddings [T, D], unit length, of frames [T, H, W, 3]."""
        return await asyncio.to_thread(self._encode, frames)

    def _encode(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        (embeddings,) = self._session.run(None, {self._input: self._resized(frames)})
        return embeddings

    def _resized(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Resize as the checkpoint's image processor does: Pillow's bicubic filter."""
        if frames.shape[1] == self._size_px:
            return frames
        side = (self._size_px, self._size_px)
        pictures = (
            Image.fromarray(frame).resize(side, Image.Resampling.BICUBIC) for frame in frames
        )
        return np.stack([np.asarray(picture) for picture in pictures])
