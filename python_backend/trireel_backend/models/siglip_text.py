# SPDX-License-Identifier: Apache-2.0
"""Answers of `siglip_text`: free texts to embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trireel_backend.towers.tower import Tower


class TextEncoder:
    """The text tower with the checkpoint's own tokenizer."""

    def __init__(self, tower: Tower, tokenizer: Path) -> None:
        self._tower = tower
        # The file defines case, punctuation, end token and padding to the checkpoint's length.
        self._tokenizer = Tokenizer.from_file(str(tokenizer))

    def encode_together(self, parts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Embed the texts of several requests as one batch; return [N, D] for each request."""
        return self._tower.run_together([self._token_ids(texts) for texts in parts])

    def _token_ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([e.ids for e in self._tokenizer.encode_batch(list(texts))], np.int64)
