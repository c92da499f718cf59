# SPDX-License-Identifier: Apache-2.0
"""Settings of the towers."""

from dataclasses import dataclass

from trireel_backend.towers.runtimes import ONNXRUNTIME
from trireel_backend.wire.parameters import at_least_one


@dataclass(frozen=True)
class TowerSettings:
    """Parameters that control how an ONNX tower is run."""

    threads: int
    """Number of CPU threads, 0 for one per CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""
    tower_engine: str = ONNXRUNTIME
    """Runtime that computes the tower: one of TOWER_RUNTIMES."""
    rows_at_once: int = 16
    """Most rows that all threads together compute at once on a CPU, or four per thread if that is
    more; the rest of a batch follows. On a GPU there is no limit."""

    releases_memory: bool = False
    """True to give a run's memory back on a CPU: for a model that is seldom called."""

    def checked_rows_at_once(self) -> int:
        """Return the most rows at once; raises StartupError if the setting is less than 1."""
        return at_least_one("rows_at_once", self.rows_at_once)
