# SPDX-License-Identifier: Apache-2.0
"""Slots for whole videos and a waiting room; if both are full, a video is rejected immediately."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from trireel_backend.errors import Cancelled, Full

POLL_SECONDS = 1.0  # between checks that a waiting client is still there
NEWEST_WEIGHT = 0.2  # weight of the last video in the mean duration
LONGEST_HINT_SECONDS = 600


@dataclass(frozen=True)
class SlotLimits:
    """Limits of the videos that a model instance accepts."""

    in_flight: int
    """Most videos in flight at once."""
    waiting: int
    """Most videos that wait for a slot."""
    waiting_bytes: int
    """Most bytes of uploads among the waiting videos."""


class Slots:
    """The slots of one model instance; used in one event loop."""

    def __init__(
        self,
        limits: SlotLimits,
        *,
        clock: Callable[[], float] = time.monotonic,
        waits: Callable[[int], None] = lambda _: None,
        noun: str = "whole videos",
    ) -> None:
        """Create the slots, all of them free.

        Args:
            limits: numbers of slots and of waiting videos.
            clock: returns seconds of a monotonic clock.
            waits: called with the change in the number of waiting videos.
            noun: plural noun for the error message, such as "whole videos".
        """
        self._limits = limits
        self._clock = clock
        self._waits = waits
        self._noun = noun
        self._free = asyncio.Semaphore(limits.in_flight)
        self._waiting = 0
        self._waiting_bytes = 0
        self._mean_seconds = 0.0

    @asynccontextmanager
    async def slot(
        self, is_cancelled: Callable[[], bool], upload_bytes: Callable[[], int] = lambda: 0
    ) -> AsyncIterator[None]:
        """Hold a slot for the length of the context; slots are assigned in order of arrival.

        Args:
            is_cancelled: returns whether the client has gone away; called every second of waiting.
            upload_bytes: returns the memory in bytes that the request holds while it waits.

        Raises:
            Full: if every slot is taken and the waiting room is full; raised immediately.
            Cancelled: if the client has gone away.
        """
        if self._free.locked():
            await self._wait(is_cancelled, upload_bytes())
        else:
            await self._free.acquire()  # without waiting
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
                f"the server is full: {limits.in_flight} {self._noun} are in flight here and"
                f" {self._waiting} are waiting, the most allowed: {self._hint()}"
            )
        if upload_bytes and self._waiting_bytes + upload_bytes > limits.waiting_bytes:
            raise Full(
                f"the server is full: with this upload of {upload_bytes} bytes"
                f" {self._waiting_bytes + upload_bytes} bytes would wait, and"
                f" {limits.waiting_bytes} are allowed: {self._hint()}, or name the video by path"
                " or URI"
            )

    def _hint(self) -> str:
        seconds = self._mean_seconds * self._waiting / self._limits.in_flight
        hint_seconds = min(max(1, math.ceil(seconds)), LONGEST_HINT_SECONDS)
        return f"ask again in about {hint_seconds} s, or ask another server"

    def _learn(self, seconds: float) -> None:
        weight = NEWEST_WEIGHT if self._mean_seconds else 1.0
        self._mean_seconds += weight * (seconds - self._mean_seconds)

    def _count(self, videos: int, upload_bytes: int) -> None:
        self._waiting += videos
        self._waiting_bytes += upload_bytes
        self._waits(videos)
