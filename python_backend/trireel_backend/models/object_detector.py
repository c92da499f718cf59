# SPDX-License-Identifier: Apache-2.0
"""The detector: frames to boxes, scores and labels."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import load_detector
from trireel_backend.towers.runtimes import ONNXRUNTIME
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import SharedRuns
from trireel_backend.wire.parameters import at_least_one
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE


@dataclass(frozen=True)
class DetectorSettings:
    """Parameters that control how frames are looked at."""

    threads: int
    """Number of CPU threads, 0 for one per CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""
    detector_engine: str = ONNXRUNTIME
    """Runtime that detects: one of TOWER_RUNTIMES."""
    frames_at_once: int = 8
    """Most frames that all threads together look at once on a CPU, or one per thread if that is
    more. On a GPU there is no limit."""

    def runs(self) -> TowerSettings:
        """Return the settings of the runs; raises StartupError if a value is out of range."""
        frames = at_least_one("frames_at_once", self.frames_at_once)
        return TowerSettings(
            self.threads, self.providers, self.detector_engine, frames, releases_memory=True
        )


class ObjectDetector:
    """A detector, run for a batch that many requests share. Each frame is looked at by itself."""

    def __init__(self, folder: Path, settings: DetectorSettings) -> None:
        """Load the model of a version folder.

        Raises:
            StartupError: if the configured runtime cannot run here.
            MissingPart: if `detector.json` is missing or damaged.
        """
        self._num_boxes = load_detector(folder / DETECTOR_FILE).num_boxes
        self._runs = SharedRuns(folder / DETECTOR_GRAPH_FILE, settings.runs(), least_rows=1)

    def detect_together(
        self, parts: Sequence[NDArray[np.uint8]]
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Look at the frames [N, H, W, 3] of several requests as one batch.

        Yields for each request BOXES [N, K, 4], SCORES and LABELS [N, K].
        """
        for boxes, scores, labels in self._runs.run_together(parts):
            yield {
                "BOXES": boxes.reshape(-1, self._num_boxes, 4),
                "SCORES": scores.reshape(-1, self._num_boxes),
                "LABELS": labels.reshape(-1, self._num_boxes).astype(np.int32),
            }
