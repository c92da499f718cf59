# SPDX-License-Identifier: Apache-2.0
"""Answers of `siglip_text`: free texts to embeddings."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.towers.texts import TextTokenizer, TextTower
from trireel_backend.towers.tower import Tower
from trireel_backend.wire.request import Request
from trireel_schema.prompts import in_prompt


class TextEncoder:
    """The text tower, and the export's prompt for tags."""

    def __init__(self, tower: Tower, tokenizer: Path, tag_prompt: str) -> None:
        self._tower = TextTower(tower, TextTokenizer(tokenizer))
        self._tag_prompt = tag_prompt

    def texts(self, request: Request) -> tuple[str, ...]:
        """Return a request's texts; those that ARE_TAGS marks stand in the prompt.

        Raises:
            InvalidInput: if the texts are missing or wrong, or ARE_TAGS has another number of rows.
        """
        values = request.texts("TEXTS")
        if values is None:
            raise InvalidInput("TEXTS is missing: send 1 to 64 texts [N, 1]")
        marks = request.array("ARE_TAGS")
        if marks is None:
            return values
        if marks.size != len(values):
            raise InvalidInput(f"ARE_TAGS has {marks.size} rows and TEXTS has {len(values)}")
        tags = in_prompt(self._tag_prompt, values)
        return tuple(
            tag if is_tag else text
            for text, tag, is_tag in zip(values, tags, marks.ravel().tolist(), strict=True)
        )

    def encode_together(self, parts: Sequence[Sequence[str]]) -> list[NDArray[np.float32]]:
        """Embed the texts of several requests as one batch; return [N, D] for each request."""
        return self._tower.embed_together(parts)
