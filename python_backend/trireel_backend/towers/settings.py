# SPDX-License-Identifier: Apache-2.0
"""What an operator may set for the towers."""

from dataclasses import dataclass

from trireel_backend.towers.runtimes import ONNXRUNTIME
from trireel_backend.wire.parameters import at_least_one


@dataclass(frozen=True)
class TowerSettings:
    """How an ONNX tower is run."""

    threads: int
    """CPU threads, 0 for one a CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""
    tower_engine: str = ONNXRUNTIME
    """What computes it: one of TOWER_ENGINES."""
    rows_at_once: int = 16
    """Most rows computed at once on a CPU, by all threads, or four a thread where that is more; the
    rest of a batch comes after them. On a GPU there is no bound."""

    def checked_rows_at_once(self) -> int:
        """Return the most rows at once; raises StartupError where that is none."""
        return at_least_one("rows_at_once", self.rows_at_once)
