# SPDX-License-Identifier: Apache-2.0
"""Text in frames: pictures to maps of the probability that a pixel belongs to a line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput, StartupError
from trireel_backend.reading.lines import SIDE_STEP_PX
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import SharedRuns

MODEL_FILE, SMALL_FILE = "model.onnx", "small.onnx"
LARGE, SMALL = "large", "small"
MOST_PIXELS = 4096 * 2304
"""Largest frame: each pixel takes 0.18 KB while the graph runs, 1.7 GB in all for each thread."""


@dataclass(frozen=True)
class ReaderSettings:
    """Parameters that control how the two models that read text are computed."""

    threads: int
    """Number of CPU threads, 0 for one per CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""

    def runs(self) -> TowerSettings:
        """Return the settings of the runs: pictures of many sizes, one a thread."""
        return TowerSettings(self.threads, self.providers, rows_at_once=1, releases_memory=True)


@dataclass(frozen=True)
class DetectorSettings(ReaderSettings):
    """Parameters of the detector."""

    detector: str = LARGE
    """Graph that finds text: large, or small, which takes a quarter of the time and cuts off the
    ends of some small lines."""

    def file(self) -> str:
        """Return the name of the graph's file; raises StartupError if there is no such graph."""
        files = {LARGE: MODEL_FILE, SMALL: SMALL_FILE}
        if self.detector not in files:
            raise StartupError(f"detector is {self.detector!r}: give {' or '.join(files)}")
        return files[self.detector]


class TextDetector:
    """PP-OCR's detector, run for a batch that many requests share. Each picture stands alone."""

    def __init__(self, folder: Path, settings: DetectorSettings) -> None:
        """Load the model of a version folder; raises StartupError if it cannot run here."""
        self._runs = SharedRuns(folder / settings.file(), settings.runs(), least_rows=1)

    def detect_together(
        self, parts: Sequence[NDArray[np.uint8]]
    ) -> Iterator[dict[str, NDArray[np.uint8]]]:
        """Detect the text in the frames [N, H, W, 3] of several requests as one batch.

        Yields TEXT_MAP [N, H, W] for each request: probability * 255.
        """
        for (text_map,) in self._runs.run_together(parts):
            yield {"TEXT_MAP": text_map}


def checked_frames(frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the frames of a request.

    Raises:
        InvalidInput: if a side is no multiple of 32, or a frame is too large.
    """
    height, width = frames.shape[1:3]
    if height % SIDE_STEP_PX or width % SIDE_STEP_PX or not frames.size:
        raise InvalidInput(
            f"FRAMES are {width}x{height} pixels: each side must be a multiple of {SIDE_STEP_PX};"
            " pad them at the right and below"
        )
    if height * width > MOST_PIXELS:
        raise InvalidInput(
            f"FRAMES are {width}x{height} pixels: {MOST_PIXELS} pixels are allowed; scale them down"
        )
    return frames
