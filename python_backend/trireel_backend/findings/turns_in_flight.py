# SPDX-License-Identifier: Apache-2.0
"""The order of a sequence's requests that are answered beside `execute`."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from trireel_backend.wire.request import Request


@dataclass
class _Queue:
    count: int = 0
    """Number of requests that wait or are being answered."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a request is being answered; it wakes those that wait in order."""


class TurnsInFlight:
    """Lets requests of one sequence be answered one after the other.

    Triton may deliver a sequence's next request when `execute` has returned, before the response.
    The thread that executes calls `is_busy` and `add`, that of the event loop calls `turn`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._queues: dict[tuple[bool, int | str], _Queue] = {}

    def is_busy(self, request: Request) -> bool:
        """Return whether an earlier request of the sequence has not been answered."""
        with self._lock:
            return _key(request) in self._queues

    def add(self, request: Request) -> None:
        """Note a request that will take its turn."""
        with self._lock:
            self._queues.setdefault(_key(request), _Queue()).count += 1

    @asynccontextmanager
    async def turn(self, request: Request) -> AsyncIterator[None]:
        """Wait for the earlier requests of the sequence, and hold back the later ones."""
        queue = self._queues[_key(request)]
        try:
            async with queue.lock:
                yield
        finally:
            with self._lock:
                queue.count -= 1
                if queue.count == 0:
                    del self._queues[_key(request)]


def _key(request: Request) -> tuple[bool, int | str]:
    return request.is_inner, request.correlation_id
