# SPDX-License-Identifier: Apache-2.0
"""The chat of the gateway: its parts, and how many questions are answered at the same time."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from trireel_app.chat.answers import Chat
from trireel_app.chat.limits import ChatLimits
from trireel_app.chat.models import ServerModels
from trireel_app.chat.sessions import ChatSessions
from trireel_app.gateway.clients import Clients
from trireel_app.gateway.failures import TooManyRequests
from trireel_app.gateway.texts import Texts
from trireel_app.index.keeper import Keeper
from trireel_app.library import Checkpoint
from trireel_schema.vectors import Calibration

OWNER_IN_FLIGHT = 4
IN_FLIGHT = 32
RETRY_SECONDS = 5.0


class ChatDesk:
    """Answers the questions of all owners; belongs to one event loop."""

    def __init__(
        self,
        database: sa.Engine,
        keeper: Keeper,
        texts: Texts,
        clients: Clients,
        limits: ChatLimits | None = None,
    ) -> None:
        limits = limits or ChatLimits()
        writer = ServerModels(clients.all)
        self.chat = Chat(keeper=keeper, embedder=_Tower(texts), writer=writer, limits=limits)
        self.sessions = ChatSessions(database, limits)
        self._in_flight: Counter[str] = Counter()

    @contextmanager
    def place(self, owner: str) -> Iterator[None]:
        """Hold a place for a question; raises TooManyRequests if all are taken."""
        if self._in_flight[owner] >= OWNER_IN_FLIGHT or self._in_flight.total() >= IN_FLIGHT:
            raise TooManyRequests(
                "too many questions are being answered: wait for an answer",
                retry_after_seconds=RETRY_SECONDS,
            )
        self._in_flight[owner] += 1
        try:
            yield
        finally:
            self._in_flight[owner] -= 1
            if not self._in_flight[owner]:
                del self._in_flight[owner]


class _Tower:
    """The text towers of the gateway's servers, which keep what they have embedded."""

    def __init__(self, texts: Texts) -> None:
        self._texts = texts

    async def embed(self, text: str) -> tuple[NDArray[np.float32], Calibration | None, Checkpoint]:
        """Return the embedding [D] of a text, its calibration, and the checkpoint."""
        embeddings, details = await self._texts.embed([text])
        checkpoint = Checkpoint.of(details)
        return embeddings[0], details.calibration, checkpoint
