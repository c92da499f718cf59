# SPDX-License-Identifier: Apache-2.0
"""The models that a chat uses, behind small ports: a text tower, and a model that writes."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_app.library import Checkpoint
from trireel_client import (
    AsyncTrireelClient,
    ChatTurn,
    DescribedPiece,
    NotFound,
    ServerUnavailable,
)
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

    async def embed(self, text: str) -> tuple[NDArray[np.float32], Calibration | None, Checkpoint]:
        """Return the embedding [D] of a text, its calibration, and the checkpoint.

        Raises:
            TrireelError: if the server does not answer.
        """


class ServerModels:
    """Both models on Trireel servers of one checkpoint; the next one is used if one is lost."""

    def __init__(self, clients: Callable[[], Sequence[AsyncTrireelClient]]) -> None:
        """Take what returns one or more clients of this event loop; they stay the caller's."""
        self._clients = clients

    async def embed(self, text: str) -> tuple[NDArray[np.float32], Calibration | None, Checkpoint]:
        """Return the embedding [D] of a text, its calibration, and the checkpoint.

        Raises:
            TrireelError: if no server answers.
        """
        *others, last = self._clients()
        for client in others:
            try:
                return await _embedded(client, text)
            except ServerUnavailable:
                continue
        return await _embedded(last, text)

    async def write(
        self,
        prompt: str,
        pictures: Sequence[NDArray[np.uint8]] = (),
        *,
        system: str = "",
        history: Sequence[ChatTurn] = (),
        max_tokens: int,
    ) -> AsyncGenerator[DescribedPiece, None]:
        """Yield the pieces of an answer of the servers' model `describe`.

        Raises:
            TrireelError: if no backend answers, or one ends in the middle.
        """
        clients = self._clients()
        for number, client in enumerate(clients, 1):
            has_begun = False
            pieces = client.describe(
                prompt,
                pictures,
                system=system or None,
                history=history or None,
                max_tokens=max_tokens,
                temperature=0.0,
            )
            try:
                async with aclosing(pieces):
                    async for piece in pieces:
                        has_begun = True
                        yield piece
                return
            except (ServerUnavailable, NotFound):
                if has_begun or number == len(clients):
                    raise


async def _embedded(
    client: AsyncTrireelClient, text: str
) -> tuple[NDArray[np.float32], Calibration | None, Checkpoint]:
    details = await client.server_details()
    checkpoint = Checkpoint.of(details)
    embeddings = await client.embed_texts([text])
    return embeddings[0], details.calibration, checkpoint
