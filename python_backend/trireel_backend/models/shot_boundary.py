# SPDX-License-Identifier: Apache-2.0
"""The judge of shot boundaries: windows of 100 small frames to two probabilities a frame."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import GateFailed
from trireel_backend.shots.files import load_windows
from trireel_backend.towers.runtimes import ONNXRUNTIME, REDUCED_RUNTIMES
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import SharedRuns
from trireel_backend.wire.parameters import at_least_one
from trireel_schema.errors import TowerDiffers
from trireel_schema.shots import GRAPH_FILE
from trireel_schema.windows import check_windows


@dataclass(frozen=True)
class ShotSettings:
    """Parameters that control how windows are judged."""

    threads: int
    """Number of CPU threads, 0 for one per CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""
    shot_engine: str = ONNXRUNTIME
    """Runtime that judges windows: one of TOWER_RUNTIMES."""
    windows_at_once: int = 1
    """Most windows that all threads together judge at once on a CPU, or one per thread if that is
    more: a window takes 0.2 GiB. On a GPU there is no limit."""

    def runs(self) -> TowerSettings:
        """Return the settings of the runs; raises StartupError if a value is out of range."""
        windows = at_least_one("windows_at_once", self.windows_at_once)
        return TowerSettings(
            self.threads, self.providers, self.shot_engine, windows, releases_memory=True
        )


class ShotJudge:
    """TransNetV2, run for a batch that many requests share. Each window is judged by itself."""

    def __init__(self, folder: Path, settings: ShotSettings) -> None:
        """Load the model of a version folder.

        Raises:
            StartupError: if the configured runtime cannot run here.
            GateFailed: if the runtime computes in less than fp32 and judges otherwise.
        """
        self._runs = SharedRuns(folder / GRAPH_FILE, settings.runs(), least_rows=1)
        if settings.shot_engine in REDUCED_RUNTIMES:
            known = load_windows(folder)
            single, many = self._runs.run([known.frames])
            try:
                check_windows(known, single, many)
            except TowerDiffers as error:
                raise GateFailed(
                    f"with shot_engine {settings.shot_engine!r} on this CPU {error}: use"
                    f" {ONNXRUNTIME!r}"
                ) from error

    def judge_together(
        self, parts: Sequence[NDArray[np.uint8]]
    ) -> Iterator[dict[str, NDArray[np.float32]]]:
        """Judge the windows [N, 100, 27, 48, 3] of several requests as one batch.

        Yields for each request SINGLE and MANY [N, 100]: the probability that a frame is the last
        one of a shot, and that it belongs to a transition.
        """
        for single, many in self._runs.run_together(parts):
            yield {"SINGLE": single, "MANY": many}
