# SPDX-License-Identifier: Apache-2.0
"""A number of clients that ask without end, and what each is told."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerPath, Timeout, TrireelError

LATER = 0.25
"""Of the time that a refused client is told to wait, the most that it waits beyond."""
PAUSE_SECONDS = 2.0
"""After a failure that names no time."""
TIMEOUT = Timeout(request_seconds=600.0)


@dataclass
class Level:
    """What so many clients were told within the window."""

    clients: int
    window_seconds: float
    admitted_ms: list[float] = field(default_factory=list)
    """From asking to the answer, of those that were let in."""
    refused_ms: list[float] = field(default_factory=list)
    """From asking to the refusal, of those that were not."""
    failures: list[str] = field(default_factory=list)
    """Anything else."""


async def ask_level(
    address: str, videos: Sequence[str], clients: int, warm_up_seconds: float, seconds: float
) -> Level:
    """Have clients ask, and count what they are told in the seconds after the warm-up."""
    level = Level(clients, seconds)
    began = time.monotonic() + warm_up_seconds
    endless = itertools.cycle(videos)
    async with AsyncTrireelClient(address, retries=Retry(attempts=1), timeout=TIMEOUT) as client:

        async def ask() -> None:
            await asyncio.sleep(random.random())  # not all in one moment
            while time.monotonic() < began + seconds:
                await _ask_once(client, next(endless), level, began)

        await asyncio.gather(*(ask() for _ in range(clients)))
    return level


async def _ask_once(client: AsyncTrireelClient, video: str, level: Level, began: float) -> None:
    asked = time.monotonic()
    try:
        await client.analyze(ServerPath(video))
    except ServerFull as error:
        _note(level, level.refused_ms, asked, began)
        told = error.retry_after_seconds or PAUSE_SECONDS
        await asyncio.sleep(told * random.uniform(1.0, 1.0 + LATER))
    except TrireelError as error:
        level.failures.append(f"{type(error).__name__}: {error}"[:300])
        await asyncio.sleep(PAUSE_SECONDS)
    else:
        _note(level, level.admitted_ms, asked, began)


def _note(level: Level, times_ms: list[float], asked: float, began: float) -> None:
    now = time.monotonic()
    if began <= now < began + level.window_seconds:
        times_ms.append(round((now - asked) * 1e3, 2))
