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
from trireel_client.load_test.drive.requester import Requester
from trireel_client.load_test.drive.samples import Outcome, Sample, SampleRecorder
from trireel_client.load_test.plan import Level, Plan

# A worker waits after a failure before its next request. Requests to a server that is gone, and
# requests that this client rejects, fail at once: without a pause they would measure this machine
# alone, and would leave the event loop no time for anything else.
PAUSE_SECONDS = 0.1
NOT_WAITED_FOR = "NotWaitedFor"


@dataclass(frozen=True)
class Window:
    """The measured time of a level, in seconds of the monotonic clock."""

    begin_seconds: float
    """End of the warm-up."""
    end_seconds: float
    """End of the measured time; no video begins afterwards."""

    @property
    def seconds(self) -> float:
        """Length of the window."""
        return max(0.0, self.end_seconds - self.begin_seconds)

    def holds(self, at_seconds: float) -> bool:
        """Return whether a moment is in the window."""
        return self.begin_seconds <= at_seconds < self.end_seconds


@dataclass(frozen=True)
class LevelRun:
    """The samples of one level."""

    level: Level
    """The load of the level."""
    began_seconds: float
    """Time at which the warm-up began, on the monotonic clock."""
    window: Window
    """The measured time."""
    samples: tuple[Sample, ...]
    """All videos, warm-up included, in the order in which they ended."""

    @property
    def counted(self) -> tuple[Sample, ...]:
        """The videos that were due in the window, each followed to its end."""
        return tuple(one for one in self.samples if self.window.holds(one.due_seconds))

    @property
    def warm_up(self) -> tuple[Sample, ...]:
        """The videos that were due before the window."""
        return tuple(one for one in self.samples if one.due_seconds < self.window.begin_seconds)


class Load:
    """Puts the load of one level on the server."""

    def __init__(self, plan: Plan, level: Level, requester: Requester) -> None:
        self._plan = plan
        self._level = level
        self._requester = requester
        self._videos: Iterator[Source] = itertools.cycle(plan.videos)
        self._room = asyncio.Semaphore(plan.most_in_flight)
        self._interrupted = False
        self.samples: list[Sample] = []
        self.in_flight = 0
        self.began_seconds = time.perf_counter()
        begin_seconds = self.began_seconds + plan.warm_up_seconds
        self.window = Window(begin_seconds, begin_seconds + plan.duration_seconds)

    async def run(self, stop: asyncio.Event) -> LevelRun:
        """Send requests until the window ends, then wait for those in flight; `stop` ends at once.

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
            sample = await self._request(next(self._videos), due_seconds=now)
            if sample.outcome is not Outcome.OK:
                await asyncio.sleep(PAUSE_SECONDS)

    async def _open(self) -> None:
        seconds = self.window.end_seconds - self.began_seconds
        async with asyncio.TaskGroup() as group:
            for offset in poisson_arrivals(self._level.value, seconds):
                due_seconds = self.began_seconds + float(offset)
                await asyncio.sleep(max(0.0, due_seconds - time.perf_counter()))
                group.create_task(self._arrival(next(self._videos), due_seconds))
            # The rest of the window, without arrivals, is measured as well.
            await asyncio.sleep(max(0.0, self.window.end_seconds - time.perf_counter()))

    async def _arrival(self, video: Source, due_seconds: float) -> None:
        try:
            await self._room.acquire()
        except asyncio.CancelledError:
            self.samples.append(self._abandoned(SampleRecorder(video, due_seconds)))
            raise
        try:
            await self._request(video, due_seconds)
        finally:
            self._room.release()

    async def _request(self, video: Source, due_seconds: float) -> Sample:
        recorder = SampleRecorder(video, due_seconds)
        self.in_flight += 1
        try:
            await self._requester.analyze(video, recorder)
            sample = recorder.end()
        except TrireelError as error:
            sample = recorder.end(error)
        except asyncio.CancelledError:
            self.samples.append(self._abandoned(recorder))
            raise
        finally:
            self.in_flight -= 1
        self.samples.append(sample)
        return sample

    def _abandoned(self, recorder: SampleRecorder) -> Sample:
        if self._interrupted:
            return recorder.interrupt("", Outcome.INTERRUPTED, "")
        seconds = self._plan.timeout_seconds
        message = f"not answered {seconds:g} s after the end of its level"
        return recorder.interrupt(NOT_WAITED_FOR, Outcome.FAILED, message)
