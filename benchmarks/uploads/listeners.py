# SPDX-License-Identifier: Apache-2.0
"""Many listeners of one video: does each get every event, how late, and at what cost."""

import asyncio
import json
import resource
import statistics
import time
from typing import Any

import httpx

from benchmarks.uploads.place import Place
from trireel_app.engine.database import open_database
from trireel_app.jobs.events import EventKind, EventLog, NewEvent
from trireel_app.jobs.uploads import UploadRow, Uploads, UploadState, new_id

EVENTS = 40
EVERY_SECONDS = 0.5
ALL_SECONDS = 300.0
Found = dict[str, Any]


def listeners(place: Place, count: int, slow: int) -> Found:
    """Follow one video by many connections, some of which never read; write events meanwhile."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 4 * count)), hard))
    place.reset_memory()
    return asyncio.run(_measure(place, count, slow))


async def _measure(place: Place, count: int, slow: int) -> Found:
    log, video = _video(place)
    late: list[float] = []
    ready = asyncio.Semaphore(0)
    silent = [await _silent(place, video) for _ in range(slow)]
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(
        base_url=place.url, headers=place.headers, timeout=ALL_SECONDS, limits=limits
    ) as client:
        tasks = [asyncio.ensure_future(_follow(client, video, ready, late)) for _ in range(count)]
        connecting = time.perf_counter()
        for _ in range(count):
            await ready.acquire()
        connected_seconds = time.perf_counter() - connecting
        before = place.cpu_seconds()
        write_ms = []
        for _ in range(EVENTS):
            began = time.perf_counter()
            await asyncio.to_thread(_tell, log, video)
            write_ms.append((time.perf_counter() - began) * 1e3)
            await asyncio.sleep(EVERY_SECONDS)
        got = await asyncio.wait_for(asyncio.gather(*tasks), ALL_SECONDS)
    for writer in silent:
        writer.close()
    return {
        "listeners": count,
        "that_never_read": slow,
        "events": EVENTS,
        "connected_seconds": connected_seconds,
        "got_all": sum(number == EVENTS for number in got),
        "late_p50_ms": statistics.median(late) * 1e3,
        "late_p99_ms": statistics.quantiles(late, n=100)[-1] * 1e3,
        "write_p50_ms": statistics.median(write_ms),
        "gateway_cpu_seconds": place.cpu_seconds() - before,
        "gateway_most_mib": place.most_memory_mib(),
    }


def _video(place: Place) -> tuple[EventLog, str]:
    database = open_database(str(place.folder / "jobs.sqlite"))
    row = UploadRow(
        id=new_id(),
        owner="bench",
        name="a",
        uri="s3://a/b",
        state=UploadState.DONE,
        created_at=time.time(),
    )
    Uploads(database).add(row)
    return EventLog(database), row.id


def _tell(log: EventLog, video: str) -> None:
    log.add([NewEvent(video, "bench", EventKind.SCENE, {"sent_at": time.time()})])


async def _follow(
    client: httpx.AsyncClient, video: str, ready: asyncio.Semaphore, late: list[float]
) -> int:
    got = 0
    async with client.stream("GET", f"/v1/videos/{video}/events") as answer:
        answer.raise_for_status()
        ready.release()
        async for line in answer.aiter_lines():
            if line.startswith("data: "):
                late.append(time.time() - json.loads(line[6:])["data"]["sent_at"])
                got += 1
                if got == EVENTS:
                    return got
    return got


async def _silent(place: Place, video: str) -> asyncio.StreamWriter:
    """Open a connection that requests the events and never reads them."""
    _, writer = await asyncio.open_connection(*place.host, limit=1)
    head = f"GET /v1/videos/{video}/events HTTP/1.1\r\nHost: {place.host[0]}:{place.host[1]}\r\n"
    writer.write(f"{head}Authorization: {place.headers['Authorization']}\r\n\r\n".encode())
    await writer.drain()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return writer
