# SPDX-License-Identifier: Apache-2.0
"""The load: threads with good requests, threads with faults, bursts, and killed processes."""

import asyncio
import contextlib
import random
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import psutil

from benchmarks.soak.asks import Ask, Seen, difference
from benchmarks.soak.faults import choose, is_full
from benchmarks.soak.place import HANG_SECONDS, Place, clients, message_of, status_of
from benchmarks.soak.tally import FULL, OK, Tally
from benchmarks.soak.watch import workers
from trireel_client import (
    AsyncTrireelClient,
    Retry,
    ServerFull,
    ServerPath,
    Timeout,
    TrireelError,
)

BURST = 100  # with the other threads, more than two cores have under way and let wait: 4 + 64
PAUSE_SECONDS = 0.2
NUISANCES = ("killed", "killed", "paused", "paused", "stopped")
SHORT_STOP_SECONDS = 1.5
# What is said of a request whose decoder was stopped for longer than it may take, or was killed.
STOPPED = {"stopped": "the frames were not there after"}
STOPPED_OR_KILLED = STOPPED | {"killed": "was killed while it worked on the video"}


@dataclass(frozen=True)
class Mix:
    """How much of what."""

    good: int = 10
    """Threads, each with the next request as soon as its last is answered."""
    faults: int = 4
    """Threads likewise."""
    fault_pause_seconds: float = 0.3
    burst_every_seconds: float = 45.0
    nuisance_every_seconds: float = 15.0
    unread_streams: bool = False
    """Whether there are streams that nobody reads."""


class Load:
    """Everything that asks the server, or does something to its processes."""

    def __init__(
        self,
        place: Place,
        mix: Mix,
        asks: list[Ask],
        references: dict[tuple[str, int], Seen],
        tally: Tally,
        server: psutil.Process,
        seed: int,
    ) -> None:
        self._place, self._mix, self._tally, self._server = place, mix, tally, server
        self._asks, self._references = asks, references
        self._random = random.Random(seed)
        self._stop = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Be under load for the length of the context; no connection is open afterwards."""
        self._stop.clear()
        work = [self._good] * self._mix.good + [self._faults] * self._mix.faults
        work += [self._bursts, self._nuisances]
        threads = [
            threading.Thread(target=self._guarded, args=(one, self._random.random()))
            for one in work
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(2 * HANG_SECONDS)
            if any(thread.is_alive() for thread in threads):
                self._tally.wrong("hang: a thread of the load does not end")

    def _guarded(self, work: Callable[[random.Random], None], seed: float) -> None:
        try:
            work(random.Random(seed))
        except Exception:
            self._tally.wrong("the load itself failed: " + traceback.format_exc()[-400:])

    def _good(self, rng: random.Random) -> None:
        with clients(self._place) as own:
            while not self._stop.is_set():
                ask = rng.choice(self._asks)
                began = time.monotonic()
                try:
                    seen = ask.answer(self._place, own)
                except TrireelError as error:
                    # Who asks again outlives a killed decoder, not one that is found stopped.
                    self._lost(f"good request {ask}", error, STOPPED)
                    self._stop.wait(PAUSE_SECONDS)
                    continue
                if words := difference(self._references[ask.key], seen):
                    self._tally.wrong(f"other answer to {ask}: {words}")
                self._tally.answered(ask.way, (time.monotonic() - began) * 1e3)

    def _lost(self, what: str, error: BaseException, taken_along: Mapping[str, str]) -> None:
        words = f"{what}: {status_of(error)}: {message_of(error)}"
        if not self._was_taken_along(words, taken_along):
            self._tally.wrong(words)

    def _was_taken_along(self, words: str, by: Mapping[str, str]) -> bool:
        """Keep a request that a decoder took along, if that is what the words say."""
        for nuisance, said in by.items():
            if said in words:
                self._tally.casualty(nuisance, words)
                return True
        return False

    def _faults(self, rng: random.Random) -> None:
        with clients(self._place) as own:
            while not self._stop.wait(rng.uniform(0, 2 * self._mix.fault_pause_seconds)):
                fault = choose(self._place, rng, with_unread=self._mix.unread_streams)
                status, message = OK, ""
                try:
                    fault.run(self._place, own, rng)
                except Exception as error:
                    status, message = status_of(error), message_of(error)
                self._tally.fault(fault.name, status)
                if self._was_taken_along(f"{fault.name}: {message}", STOPPED_OR_KILLED):
                    continue
                if fault.is_sent_once and is_full(message):
                    continue
                if status not in fault.expects:
                    self._tally.wrong(f"{fault.name}: {status}: {message}")
                elif len(message.splitlines()) > 1:
                    self._tally.wrong(f"{fault.name}: an error of several lines: {message}")

    def _bursts(self, rng: random.Random) -> None:
        while not self._stop.wait(rng.expovariate(1 / self._mix.burst_every_seconds)):
            asyncio.run(self._burst())

    async def _burst(self) -> None:
        timeout = Timeout(request_seconds=HANG_SECONDS)
        async with AsyncTrireelClient(
            self._place.grpc_url, timeout=timeout, retries=Retry(attempts=1)
        ) as client:
            requests = (client.analyze(ServerPath(self._place.clips[0])) for _ in range(BURST))
            for outcome in await asyncio.gather(*requests, return_exceptions=True):
                if not isinstance(outcome, BaseException):
                    self._tally.burst(OK)
                elif isinstance(outcome, ServerFull):
                    self._tally.burst(FULL)
                else:
                    self._tally.burst(status_of(outcome))
                    self._lost("burst", outcome, STOPPED_OR_KILLED)

    def _nuisances(self, rng: random.Random) -> None:
        """Kill a decoder's process, or stop it for a moment or for good, now and then."""
        while not self._stop.wait(rng.expovariate(1 / self._mix.nuisance_every_seconds)):
            found = workers(self._server)
            if not found:
                continue
            worker, kind = rng.choice(found), rng.choice(NUISANCES)
            with contextlib.suppress(psutil.NoSuchProcess):
                if kind == "killed":
                    worker.kill()
                else:
                    worker.suspend()
                self._tally.nuisance(kind)
                if kind == "paused":
                    time.sleep(SHORT_STOP_SECONDS)
                    worker.resume()
