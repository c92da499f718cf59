# SPDX-License-Identifier: Apache-2.0
"""The models that a chat uses, behind small ports: a text tower, and a model that writes."""

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_app.library import Checkpoint
from trireel_client import AsyncTrireelClient, ChatTurn, DescribedPiece
from trireel_schema.vectors import Calibration


class Writer(Protocol):
    """A model that answers, with pictures or without them."""

    def write(
        self,
        prompt: str,
        pictures: Sequence[NDArray[np.uint8]] = (),
        *,
        system: str = "",
        history: Sequence[ChatTurn] = (),
        max_tokens: int,
    ) -> AsyncGenerator[DescribedPiece, None]:
        """Yield the pieces of an answer.

        Args:
            pictures: uint8 [H, W, 3]; without any, a backend that answers questions is used.

        Raises:
            TrireelError: if no backend answers.
        """


class Embedder(Protocol):
    """A text tower."""

    async def embed(self, text: str) -> tuple[NDArray[np.float32], Calibration, Checkpoint]:
        """Return the embedding [D] of a text, the calibration of its cosines, and the checkpoint.

        Raises:
            TrireelError: if the server does not answer.
        """


class ServerModels:
    """Both models, on a Trireel server."""

    def __init__(self, client: AsyncTrireelClient) -> None:
        """Take a client of this event loop; it stays the caller's."""
        self._client = client

    async def embed(self, text: str) -> tuple[NDArray[np.float32], Calibration, Checkpoint]:
        """Return the embedding [D] of a text, the calibration of its cosines, and the checkpoint.

        Raises:
            TrireelError: if the server does not answer.
        """
        details = await self._client.server_details()
        checkpoint = Checkpoint(details.checkpoint, details.weights_sha256, details.embedding_dim)
        embeddings = await self._client.embed_texts([text])
        return embeddings[0], details.calibration, checkpoint

    def write(
        self,
        prompt: str,
        pictures: Sequence[NDArray[np.uint8]] = (),
        *,
        system: str = "",
        history: Sequence[ChatTurn] = (),
        max_tokens: int,
    ) -> AsyncGenerator[DescribedPiece, None]:
        """Yield the pieces of an answer of the server's model `describe`.

        Raises:
            TrireelError: if no backend answers.
        """
        return self._client.describe(
            prompt,
            pictures,
            system=system or None,
            history=history or None,
            max_tokens=max_tokens,
            temperature=0.0,
        )
