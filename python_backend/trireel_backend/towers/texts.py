# SPDX-License-Identifier: Apache-2.0
"""The text tower with the checkpoint's own tokenizer."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trireel_backend.towers.tower import Tower


class TextTokenizer:
    """Turns texts into the tokens that the tower reads."""

    def __init__(self, path: Path) -> None:
        # The file defines case, punctuation, end token and padding to the checkpoint's length.
        self._tokenizer = Tokenizer.from_file(str(path))

    def token_ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        """Return the ids [N, L] of texts, padded and cut to L."""
        return np.array([e.ids for e in self._tokenizer.encode_batch(list(texts))], np.int64)

    def too_long(self, texts: Sequence[str]) -> list[int]:
        """Return the indices of the texts whose ends the tower does not read."""
        encodings = self._tokenizer.encode_batch(list(texts))
        return [index for index, encoding in enumerate(encodings) if encoding.overflowing]


class TextTower:
    """Embeds texts."""

    def __init__(self, tower: Tower, tokenizer: TextTokenizer) -> None:
        self._tower = tower
        self._tokenizer = tokenizer

    def embed_together(self, parts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Embed the texts of several lists as one batch; return [N, D] for each list."""
        return self._tower.run_together([self._tokenizer.token_ids(texts) for texts in parts])
