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
from benchmarks.soak.watch import Watch
from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerPath, Timeout, TrireelError

BURST = 100  # with the other threads, more than two cores work on and let wait: 4 + 64
PAUSE_SECONDS = 0.2
NUISANCES = ("killed", "killed", "paused", "paused", "stopped")
SHORT_STOP_SECONDS = 1.5
# Messages for a request whose decoder was stopped beyond its time limit, or was killed.
STOPPED = {"stopped": "the frames were not there after"}
STOPPED_OR_KILLED = STOPPED | {"killed": "was killed while it worked on the video"}


@dataclass(frozen=True)
class Mix:
    """The parts of the load."""

    good: int = 10
    """Threads that send good requests, one after the other."""
    faults: int = 4
    """Threads that make faults."""
    fault_pause_seconds: float = 0.3
    burst_every_seconds: float = 45.0
    nuisance_every_seconds: float = 15.0
    unread_streams: bool = False
    """Whether there are streams that are not read."""


@dataclass
class Load:
    """All threads that send requests to the server, or disturb its processes."""

    place: Place
    mix: Mix
    asks: list[Ask]
    references: Mapping[tuple[str, int], Seen]
    tally: Tally
    watch: Watch
    seed: int

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Load the server within the context; afterwards no connection is open."""
        self._stop = threading.Event()
        work = [self._good] * self.mix.good + [self._faults] * self.mix.faults
        work += [self._bursts, self._nuisances]
        rng = random.Random(self.seed)
        threads = [
            threading.Thread(target=self._guarded, args=(each, rng.random())) for each in work
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
                self.tally.wrong("hang: a thread of the load does not end")

    def _guarded(self, work: Callable[[random.Random], None], seed: float) -> None:
        try:
            work(random.Random(seed))
        except Exception:
            self.tally.wrong("the load itself failed: " + traceback.format_exc()[-400:])

    def _good(self, rng: random.Random) -> None:
        with clients(self.place) as own:
            while not self._stop.is_set():
                ask = rng.choice(self.asks)
                began = time.monotonic()
                try:
                    seen = ask.answer(self.place, own)
                except TrireelError as error:
                    # The client's retry survives a killed decoder, but not a stopped one.
                    self._lost(f"good request {ask}", error, STOPPED)
                    self._stop.wait(PAUSE_SECONDS)
                    continue
                if found := difference(self.references[ask.key], seen):
                    self.tally.wrong(f"other answer to {ask}: {found}")
                self.tally.answered(ask.way, (time.monotonic() - began) * 1e3)

    def _lost(self, what: str, error: BaseException, causes: Mapping[str, str]) -> None:
        message = f"{what}: {status_of(error)}: {message_of(error)}"
        if not self._was_lost_with_decoder(message, causes):
            self.tally.wrong(message)

    def _was_lost_with_decoder(self, message: str, causes: Mapping[str, str]) -> bool:
        """Record a request as lost with a decoder if its message says so."""
        for nuisance, part in causes.items():
            if part in message:
                self.tally.casualty(nuisance, message)
                return True
        return False

    def _faults(self, rng: random.Random) -> None:
        with clients(self.place) as own:
            while not self._stop.wait(rng.uniform(0, 2 * self.mix.fault_pause_seconds)):
                fault = choose(self.place, rng, with_unread=self.mix.unread_streams)
                status, message = OK, ""
                try:
                    fault.run(self.place, own, rng)
                except Exception as error:
                    status, message = status_of(error), message_of(error)
                self.tally.fault(fault.name, status)
                if self._was_lost_with_decoder(f"{fault.name}: {message}", STOPPED_OR_KILLED):
                    continue
                if fault.is_sent_once and is_full(message):
                    continue
                if status not in fault.expects:
                    self.tally.wrong(f"{fault.name}: {status}: {message}")
                elif len(message.splitlines()) > 1:
                    self.tally.wrong(f"{fault.name}: an error of several lines: {message}")

    def _bursts(self, rng: random.Random) -> None:
        while not self._stop.wait(rng.expovariate(1 / self.mix.burst_every_seconds)):
            asyncio.run(self._burst())

    async def _burst(self) -> None:
        timeout, retries = Timeout(request_seconds=HANG_SECONDS), Retry(attempts=1)
        async with AsyncTrireelClient(
            self.place.grpc_url, timeout=timeout, retries=retries
        ) as client:
            requests = (client.analyze(ServerPath(self.place.clips[0])) for _ in range(BURST))
            for outcome in await asyncio.gather(*requests, return_exceptions=True):
                if not isinstance(outcome, BaseException):
                    self.tally.burst(OK)
                elif isinstance(outcome, ServerFull):
                    self.tally.burst(FULL)
                else:
                    self.tally.burst(status_of(outcome))
                    self._lost("burst", outcome, STOPPED_OR_KILLED)

    def _nuisances(self, rng: random.Random) -> None:
        """Kill a decoder's process now and then, or stop it for a moment or for good."""
        while not self._stop.wait(rng.expovariate(1 / self.mix.nuisance_every_seconds)):
            found = self.watch.decoders()
            if not found:
                continue
            worker, kind = rng.choice(found), rng.choice(NUISANCES)
            with contextlib.suppress(psutil.NoSuchProcess):
                if kind == "killed":
                    worker.kill()
                else:
                    worker.suspend()
                self.tally.nuisance(kind)
                if kind == "paused":
                    time.sleep(SHORT_STOP_SECONDS)
                    worker.resume()
