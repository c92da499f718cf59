# SPDX-License-Identifier: Apache-2.0
"""Lines of text: pictures 48 pixels high to codes of characters."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.models.text_detector import MODEL_FILE, ReaderSettings
from trireel_backend.towers.tower import SharedRuns

LEAST_WIDTH_PX = 16
"""Narrower lines do not pass through the graph."""
MOST_WIDTH_PX = 4096
"""Widest line: each column takes 27 KB while the graph runs."""


class TextRecognizer:
    """PP-OCR's recognizer, run for a batch that many requests share. Each line stands alone."""

    def __init__(self, folder: Path, settings: ReaderSettings) -> None:
        """Load the model of a version folder; raises StartupError if it cannot run here."""
        self._runs = SharedRuns(folder / MODEL_FILE, settings.runs(), least_rows=1)

    def recognize_together(
        self, parts: Sequence[NDArray[np.uint8]]
    ) -> Iterator[dict[str, NDArray[Any]]]:
        """Read the lines [N, 48, W, 3] of several requests as one batch.

        Yields for each request CODES int32 [N, W / 8], the most probable code at each place, and
        CODE_SCORES fp32 [N, W / 8], its probability.
        """
        for codes, scores in self._runs.run_together(parts):
            yield {"CODES": codes, "CODE_SCORES": scores}


def checked_lines(lines: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lines of a request; raises InvalidInput if their width is not allowed."""
    width = lines.shape[2]
    if not LEAST_WIDTH_PX <= width <= MOST_WIDTH_PX:
        raise InvalidInput(
            f"LINES are {width} pixels wide: give {LEAST_WIDTH_PX} to {MOST_WIDTH_PX}; pad them at"
            " the right with grey (127)"
        )
    return lines
