# SPDX-License-Identifier: Apache-2.0
"""Embeddings of texts and pictures by the first server that answers."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from trireel_app import traces
from trireel_app.gateway.clients import Clients
from trireel_app.gateway.failures import Unavailable
from trireel_app.index.pictures import PICTURE_OPTIONS, picture_embedding
from trireel_app.library import Checkpoint, Library
from trireel_client import AsyncTrireelClient, ServerDetails, ServerUnavailable, in_trace

T = TypeVar("T")
DETAILS_SECONDS = 15.0  # a server may be started again with another checkpoint
MOST_TEXTS = 20_000  # embeddings that are kept
FIRST_RETRY_SECONDS = 5.0


class Texts:
    """Embeds texts and pictures, and keeps the embeddings of texts; belongs to one event loop.

    Methods raise Unavailable if no server answers, and TrireelError if one rejects the request.
    """

    def __init__(self, clients: Clients, library: Library) -> None:
        self._clients = clients
        self._library = library
        self._details: dict[int, tuple[float, ServerDetails]] = {}
        self._kept: OrderedDict[tuple[str, str], NDArray[np.float32]] = OrderedDict()

    async def details(self) -> ServerDetails:
        """Return the details of the first server that answers."""

        async def of(index: int, client: AsyncTrireelClient) -> ServerDetails:
            return await self._details_of(index, client)

        return await self._first(of)

    async def embed(self, texts: Sequence[str]) -> tuple[NDArray[np.float32], ServerDetails]:
        """Return the embeddings [n, D] of texts, and the server that made them.

        Raises:
            LibraryError: if the server's embeddings cannot be compared with the library's.
        """

        async def of(
            index: int, client: AsyncTrireelClient
        ) -> tuple[NDArray[np.float32], ServerDetails]:
            details = await self._checked(index, client)
            weights = details.weights_sha256
            missing = [text for text in dict.fromkeys(texts) if (weights, text) not in self._kept]
            found = {}
            if missing:
                rows = await client.embed_texts(missing)
                found = dict(zip(missing, rows, strict=True))
            embeddings = np.stack(
                [found[text] if text in found else self._kept[weights, text] for text in texts]
            )
            self._keep(weights, found)
            return embeddings, details

        return await self._first(of)

    async def embed_picture(self, picture: bytes) -> NDArray[np.float32]:
        """Return the embedding [D] of a picture; LibraryError as of `embed`."""

        async def of(index: int, client: AsyncTrireelClient) -> NDArray[np.float32]:
            await self._checked(index, client)
            return picture_embedding(await client.analyze(picture, **PICTURE_OPTIONS))

        return await self._first(of)

    async def _checked(self, index: int, client: AsyncTrireelClient) -> ServerDetails:
        details = await self._details_of(index, client)
        checkpoint = Checkpoint.of(details)
        await asyncio.to_thread(self._library.check, checkpoint)
        return details

    async def _details_of(self, index: int, client: AsyncTrireelClient) -> ServerDetails:
        at, details = self._details.get(index, (0.0, None))
        if details is None or time.monotonic() - at > DETAILS_SECONDS:
            details = await client.server_details()
            self._details[index] = time.monotonic(), details
        return details

    async def _first(self, call: Callable[[int, AsyncTrireelClient], Awaitable[T]]) -> T:
        for index, client in enumerate(self._clients.all()):
            try:
                with in_trace(traces.current()):
                    return await call(index, client)
            except ServerUnavailable:
                self._details.pop(index, None)
        raise Unavailable("no server answers now", retry_after_seconds=FIRST_RETRY_SECONDS)

    def _keep(self, weights: str, found: dict[str, NDArray[np.float32]]) -> None:
        for text, embedding in found.items():
            self._kept[weights, text] = embedding
        while len(self._kept) > MOST_TEXTS:
            self._kept.popitem(last=False)
