# SPDX-License-Identifier: Apache-2.0
"""One level of load, from its warm-up to its last answer."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

from trireel_client._errors import TrireelError
from trireel_client._sources import Source
from trireel_client.load_test.drive.arrivals import poisson_arrivals
from trireel_client.load_test.drive.asker import Asker
from trireel_client.load_test.drive.samples import Gathered, Outcome, Sample
from trireel_client.load_test.plan import Level, Plan

# A worker that has got no answer waits before it asks again. A server that is gone, or this client
# where it refuses what it is to send, says so at once: asking as fast as that goes would measure
# nothing but this machine, and leave the event loop no time for anything else.
PAUSE_SECONDS = 0.1
NOT_WAITED_FOR = "NotWaitedFor"


@dataclass(frozen=True)
class Window:
    """What is measured of a level: seconds of the monotonic clock."""

    begin_seconds: float
    """The end of the warm-up."""
    end_seconds: float
    """No video begins afterwards."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return max(0.0, self.end_seconds - self.begin_seconds)

    def holds(self, at_seconds: float) -> bool:
        """Tell whether a moment is in it."""
        return self.begin_seconds <= at_seconds < self.end_seconds


@dataclass(frozen=True)
class LevelRun:
    """What a level has brought."""

    level: Level
    """What was asked for."""
    began_seconds: float
    """When its warm-up began."""
    window: Window
    """What is measured of it."""
    samples: tuple[Sample, ...]
    """All videos, warm-up included, by their end."""

    @property
    def counted(self) -> tuple[Sample, ...]:
        """The videos that were to begin in the window, followed to their end."""
        return tuple(one for one in self.samples if self.window.holds(one.due_seconds))

    @property
    def warm_up(self) -> tuple[Sample, ...]:
        """The videos that were to begin before it."""
        return tuple(one for one in self.samples if one.due_seconds < self.window.begin_seconds)


class Load:
    """Brings one level about."""

    def __init__(self, plan: Plan, level: Level, asker: Asker) -> None:
        self._plan = plan
        self._level = level
        self._asker = asker
        self._videos: Iterator[Source] = itertools.cycle(plan.videos)
        self._room = asyncio.Semaphore(plan.most_in_flight)
        self._interrupted = False
        self.samples: list[Sample] = []
        self.in_flight = 0
        self.began_seconds = time.perf_counter()
        begin_seconds = self.began_seconds + plan.warm_up_seconds
        self.window = Window(begin_seconds, begin_seconds + plan.duration_seconds)

    async def run(self, stop: asyncio.Event) -> LevelRun:
        """Ask until the window ends, then wait for what is under way; `stop` ends it at once.

        A request that is not answered within its timeout after the window's end is a failure.
        """
        work = asyncio.create_task(self._open() if self._level.is_open else self._closed())
        stopped = asyncio.create_task(stop.wait())
        longest = self.window.end_seconds - time.perf_counter() + self._plan.timeout_seconds
        try:
            await asyncio.wait(
                (work, stopped), timeout=longest, return_when=asyncio.FIRST_COMPLETED
            )
            self._interrupted = stop.is_set()
            if self._interrupted:
                end_seconds = min(self.window.end_seconds, time.perf_counter())
                self.window = Window(self.window.begin_seconds, end_seconds)
        finally:
            for task in (work, stopped):
                task.cancel()
            await asyncio.wait((work, stopped))
        if not work.cancelled() and (error := work.exception()) is not None:
            raise error
        return LevelRun(self._level, self.began_seconds, self.window, tuple(self.samples))

    async def _closed(self) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(int(self._level.value)):
                group.create_task(self._worker())

    async def _worker(self) -> None:
        while (now := time.perf_counter()) < self.window.end_seconds:
            sample = await self._ask(next(self._videos), due_seconds=now)
            if sample.outcome is not Outcome.OK:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _open(self) -> None:
        seconds = self.window.end_seconds - self.began_seconds
        async with asyncio.TaskGroup() as group:
            for offset in poisson_arrivals(self._level.value, seconds):
                due_seconds = self.began_seconds + float(offset)
                await asyncio.sleep(max(0.0, due_seconds - time.perf_counter()))
                group.create_task(self._arrival(next(self._videos), due_seconds))
            # The window's rest, in which nothing arrives, is measured as well.
            await asyncio.sleep(max(0.0, self.window.end_seconds - time.perf_counter()))

    async def _arrival(self, video: Source, due_seconds: float) -> None:
        try:
            await self._room.acquire()
        except asyncio.CancelledError:
            self.samples.append(self._given_up(Gathered(video, due_seconds)))
            raise
        try:
            await self._ask(video, due_seconds)
        finally:
            self._room.release()

    async def _ask(self, video: Source, due_seconds: float) -> Sample:
        gathered = Gathered(video, due_seconds)
        self.in_flight += 1
        try:
            await self._asker.ask(video, gathered)
            sample = gathered.end()
        except TrireelError as error:
            sample = gathered.end(error)
        except asyncio.CancelledError:
            self.samples.append(self._given_up(gathered))
            raise
        finally:
            self.in_flight -= 1
        self.samples.append(sample)
        return sample

    def _given_up(self, gathered: Gathered) -> Sample:
        if self._interrupted:
            return gathered.interrupt("", Outcome.INTERRUPTED, "")
        seconds = self._plan.timeout_seconds
        message = f"not at its end {seconds:g} s after the level's"
        return gathered.interrupt(NOT_WAITED_FOR, Outcome.FAILED, message)
