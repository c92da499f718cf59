# SPDX-License-Identifier: Apache-2.0
"""Clients that request whole videos without end, and the answers that they get."""

import asyncio
import itertools
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from trireel_client import AsyncTrireelClient, Retry, ServerFull, ServerPath, Timeout, TrireelError

LATER = 0.25
"""The most that a rejected client waits beyond the time that the server names, as a share of it."""
PAUSE_SECONDS = 2.0
"""Pause after a failure that names no time."""
TIMEOUT = Timeout(request_seconds=600.0)


@dataclass
class Level:
    """The answers to a number of clients within the window."""

    clients: int
    window_seconds: float
    admitted_ms: list[float] = field(default_factory=list)
    """Times from request to answer."""
    refused_ms: list[float] = field(default_factory=list)
    """Times from request to rejection."""
    failures: list[str] = field(default_factory=list)
    """Messages of all other errors."""


async def run_level(
    address: str, videos: Sequence[str], clients: int, warm_up_seconds: float, seconds: float
) -> Level:
    """Load a server, and record the answers of the seconds after the warm-up."""
    level = Level(clients, seconds)
    began = time.monotonic() + warm_up_seconds
    endless = itertools.cycle(videos)
    async with AsyncTrireelClient(address, retries=Retry(attempts=1), timeout=TIMEOUT) as client:

        async def work() -> None:
            await asyncio.sleep(random.random())  # clients do not start all at once
            while time.monotonic() < began + seconds:
                await _request(client, next(endless), level, began)

        await asyncio.gather(*(work() for _ in range(clients)))
    return level


async def _request(client: AsyncTrireelClient, video: str, level: Level, began: float) -> None:
    sent = time.monotonic()
    try:
        await client.analyze(ServerPath(video))
    except ServerFull as error:
        _record(level, level.refused_ms, sent, began)
        wait_seconds = error.retry_after_seconds or PAUSE_SECONDS
        await asyncio.sleep(wait_seconds * random.uniform(1.0, 1.0 + LATER))
    except TrireelError as error:
        level.failures.append(f"{type(error).__name__}: {error}"[:300])
        await asyncio.sleep(PAUSE_SECONDS)
    else:
        _record(level, level.admitted_ms, sent, began)


def _record(level: Level, times_ms: list[float], sent: float, began: float) -> None:
    now = time.monotonic()
    if began <= now < began + level.window_seconds:
        times_ms.append(round((now - sent) * 1e3, 2))
