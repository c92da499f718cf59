# SPDX-License-Identifier: Apache-2.0
"""Running an exported tower in onnxruntime, for one batch gathered from many requests."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trireel_backend.settings import TowerSettings


class Tower:
    """A tower in an onnxruntime session: one input with a free batch dimension, one output."""

    def __init__(self, model: Path, settings: TowerSettings) -> None:
        """Load `model`; providers that this build of onnxruntime lacks are passed over."""
        options = ort.SessionOptions()
        options.intra_op_num_threads = settings.threads
        # Idle threads that spin would take the cores that decode the next chunk.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        available = [
            name for name in settings.providers.split(",") if name in ort.get_available_providers()
        ]
        self._session = ort.InferenceSession(model, options, providers=available)
        self._input = self._session.get_inputs()[0].name

    def run(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Return the embeddings [N, D], unit length, of the rows of a batch."""
        (embeddings,) = self._session.run(None, {self._input: rows})
        return np.asarray(embeddings, np.float32)

    def run_together(self, parts: Sequence[NDArray[Any]]) -> list[NDArray[np.float32]]:
        """Run the rows of several requests as one batch and hand each its own."""
        embeddings = self.run(parts[0] if len(parts) == 1 else np.concatenate(parts))
        ends = np.cumsum([len(part) for part in parts])
        return np.split(embeddings, ends[:-1])


class TextEncoder:
    """The text tower behind the checkpoint's own tokenizer."""

    def __init__(self, tower: Tower, tokenizer: Path) -> None:
        self._tower = tower
        # Lower case, punctuation, end token, padding to the checkpoint's length: all in the file.
        self._tokenizer = Tokenizer.from_file(str(tokenizer))

    def encode_together(self, parts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Embed the texts of several requests as one batch; each gets its own [N, D]."""
        return self._tower.run_together([self._token_ids(texts) for texts in parts])

    def _token_ids(self, texts: Sequence[str]) -> NDArray[np.int64]:
        return np.array([e.ids for e in self._tokenizer.encode_batch(list(texts))], np.int64)
