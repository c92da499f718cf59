# SPDX-License-Identifier: Apache-2.0
"""Places for whole videos: some under way, some waiting; what comes beyond is refused at once."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from trireel_backend.errors import Cancelled, Full

POLL_SECONDS = 1.0  # between looks whether a client that waits is still there
NEWEST_WEIGHT = 0.2  # of the last video in the mean time a place is taken
LONGEST_HINT_SECONDS = 600


@dataclass(frozen=True)
class PlaceLimits:
    """How many videos are taken in."""

    under_way: int
    """Worked on at once."""
    waiting: int
    """Waiting for one of them to end."""
    waiting_bytes: int
    """Of the uploads among those that wait."""


class Places:
    """The places of one model instance; used in one event loop."""

    def __init__(
        self,
        limits: PlaceLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        waits: Callable[[int], None] = lambda _: None,
        what: str = "whole videos",
    ) -> None:
        """Make places, all of them free.

        Args:
            limits: how many.
            clock: seconds, never going back.
            waits: told by how many those that wait became more.
            what: plural noun for the holders of places, for the message of a refusal.
        """
        self._limits = limits
        self._clock = clock
        self._waits = waits
        self._what = what
        self._free = asyncio.Semaphore(limits.under_way)
        self._waiting = 0
        self._waiting_bytes = 0
        self._mean_seconds = 0.0

    @asynccontextmanager
    async def place(
        self, is_cancelled: Callable[[], bool], upload_bytes: Callable[[], int] = lambda: 0
    ) -> AsyncIterator[None]:
        """Have a place for the length of the context, in the order of arrival.

        Args:
            is_cancelled: tells whether the client has gone away; asked every second of waiting.
            upload_bytes: returns how much memory the request holds while it waits.

        Raises:
            Full: no place is free, and as many wait as may; at once.
            Cancelled: the client has gone away.
        """
        if self._free.locked():
            await self._wait(is_cancelled, upload_bytes())
        else:
            await self._free.acquire()  # at once
        began = self._clock()
        try:
            yield
        finally:
            self._free.release()
            self._learn(self._clock() - began)

    async def _wait(self, is_cancelled: Callable[[], bool], upload_bytes: int) -> None:
        self._check_room(upload_bytes)
        self._count(1, upload_bytes)
        taken = asyncio.ensure_future(self._free.acquire())
        try:
            while not (await asyncio.wait({taken}, timeout=POLL_SECONDS))[0]:
                if is_cancelled():
                    raise Cancelled("the client has gone away")
        except BaseException:
            if not taken.cancel():
                self._free.release()
            raise
        finally:
            self._count(-1, -upload_bytes)

    def _check_room(self, upload_bytes: int) -> None:
        limits = self._limits
        if self._waiting >= limits.waiting:
            raise Full(
                f"the server is full: {limits.under_way} {self._what} are under way here and"
                f" {self._waiting} wait, as many as may: {self._when()}"
            )
        if upload_bytes and self._waiting_bytes + upload_bytes > limits.waiting_bytes:
            raise Full(
                f"the server is full: with this upload of {upload_bytes} bytes"
                f" {self._waiting_bytes + upload_bytes} bytes would wait, and"
                f" {limits.waiting_bytes} may: {self._when()}, or name the video by path or URI"
            )

    def _when(self) -> str:
        seconds = self._mean_seconds * self._waiting / self._limits.under_way
        hint = min(max(1, math.ceil(seconds)), LONGEST_HINT_SECONDS)
        return f"ask again in about {hint} s, or ask another server"

    def _learn(self, seconds: float) -> None:
        weight = NEWEST_WEIGHT if self._mean_seconds else 1.0
        self._mean_seconds += weight * (seconds - self._mean_seconds)

    def _count(self, videos: int, upload_bytes: int) -> None:
        self._waiting += videos
        self._waiting_bytes += upload_bytes
        self._waits(videos)
