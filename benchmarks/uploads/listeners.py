# SPDX-License-Identifier: Apache-2.0
"""Many listeners of one video: does each get every event, how late, and at what cost."""

import asyncio
import json
import resource
import statistics
import time
from typing import Any

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
    silent = [await _opened(place, video) for _ in range(slow)]
    for _, writer in silent:
        writer.transport.pause_reading()  # type: ignore[attr-defined]
    began = time.perf_counter()
    opened = [await _opened(place, video) for _ in range(count)]
    ready = [asyncio.Event() for _ in opened]
    tasks = [
        asyncio.ensure_future(_follow(reader, event, late))
        for (reader, _), event in zip(opened, ready, strict=True)
    ]
    for event in ready:
        await event.wait()
    connected_seconds = time.perf_counter() - began
    before = place.cpu_seconds()
    write_ms = []
    for _ in range(EVENTS):
        began = time.perf_counter()
        await asyncio.to_thread(_tell, log, video)
        write_ms.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(EVERY_SECONDS)
    got = await asyncio.wait_for(asyncio.gather(*tasks), ALL_SECONDS)
    for _, writer in [*silent, *opened]:
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


async def _follow(reader: asyncio.StreamReader, ready: asyncio.Event, late: list[float]) -> int:
    got = 0
    while line := await reader.readline():
        if line.startswith(b"HTTP/1.1 200"):
            ready.set()
        if line.startswith(b"data: "):
            late.append(time.time() - json.loads(line[6:])["data"]["sent_at"])
            got += 1
            if got == EVENTS:
                break
    return got


async def _opened(place: Place, video: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Open a connection that requests the events of a video."""
    reader, writer = await asyncio.open_connection(*place.host)
    head = f"GET /v1/videos/{video}/events HTTP/1.1\r\nHost: {place.host[0]}:{place.host[1]}\r\n"
    writer.write(f"{head}Authorization: {place.headers['Authorization']}\r\n\r\n".encode())
    await writer.drain()
    return reader, writer
