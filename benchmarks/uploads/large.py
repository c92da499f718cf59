# SPDX-License-Identifier: Apache-2.0
"""One large file by tus, whose connection is cut; and many files at once."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator
from itertools import islice
from typing import Any

import httpx

from benchmarks.uploads.place import MIB, Place, file_sha256, film, film_sha256

TUS = {"Tus-Resumable": "1.0.0"}
PIECE_MIB = 256
SEED = 17
Found = dict[str, Any]


def large(place: Place, size_bytes: int, cuts: int) -> Found:
    """Upload a file in pieces of 256 MiB, and cut the connection in the middle of some."""
    rng = random.Random(SEED)
    with httpx.Client(base_url=place.url, headers={**place.headers, **TUS}, timeout=120) as client:
        answer = client.post("/v1/uploads", headers={"Upload-Length": str(size_bytes)})
        path = answer.headers["location"]
        place.reset_memory()
        before, began = place.cpu_seconds(), time.perf_counter()
        cut_at = sorted(rng.sample(range(size_bytes // MIB), cuts))
        told: list[int] = []
        offset = 0
        while offset < size_bytes:
            end = min(size_bytes, offset + PIECE_MIB * MIB)
            cut = next((at * MIB + 4321 for at in cut_at if offset < at * MIB + 4321 < end), None)
            if cut is not None:
                cut_at.remove((cut - 4321) // MIB)
            _send(place, path, size_bytes, (offset, end), cut)
            offset = int(client.head(path).headers["upload-offset"])
            told.append(offset)
        seconds = time.perf_counter() - began
    stored = place.folder / "uploads" / path.rpartition("/")[2]
    return {
        "size_bytes": size_bytes,
        "cuts": cuts,
        "requests": len(told),
        "seconds": seconds,
        "gateway_cpu_seconds": place.cpu_seconds() - before,
        "gateway_most_mib": place.most_memory_mib(),
        "is_equal": file_sha256(stored) == film_sha256(size_bytes, SEED),
    }


def _send(place: Place, path: str, size_bytes: int, span: tuple[int, int], cut: int | None) -> None:
    """Send a piece by a socket of our own; close it at `cut`, without a word."""
    first, end = span
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: {place.host[0]}:{place.host[1]}\r\n"
        f"Authorization: {place.headers['Authorization']}\r\nTus-Resumable: 1.0.0\r\n"
        f"Content-Type: application/offset+octet-stream\r\nUpload-Offset: {first}\r\n"
        f"Content-Length: {end - first}\r\nConnection: close\r\n\r\n"
    )
    with socket.create_connection(place.host) as connection:
        connection.sendall(head.encode())
        at = first - first % MIB
        for piece in islice(film(size_bytes, SEED), first // MIB, None):
            begin, stop = max(first - at, 0), min(end, cut or end) - at
            if stop <= 0:
                break
            connection.sendall(piece[begin:stop])
            at += len(piece)
        if cut is None:
            connection.recv(4096)


def parallel(place: Place, count: int, size_bytes: int) -> Found:
    """Upload files at once, half of them as forms and half by tus."""
    place.reset_memory()
    before, began = place.cpu_seconds(), time.perf_counter()
    ids = asyncio.run(_all(place, count, size_bytes))
    seconds = time.perf_counter() - began
    cpu_seconds, most_mib = place.cpu_seconds() - before, place.most_memory_mib()
    equal = sum(
        file_sha256(place.folder / "uploads" / video_id) == film_sha256(size_bytes, number)
        for number, video_id in enumerate(ids)
    )
    return {
        "uploads": count,
        "size_bytes": size_bytes,
        "seconds": seconds,
        "gateway_cpu_seconds": cpu_seconds,
        "gateway_most_mib": most_mib,
        "equal": equal,
    }


async def _all(place: Place, count: int, size_bytes: int) -> list[str]:
    limits = httpx.Limits(max_connections=count)
    async with httpx.AsyncClient(
        base_url=place.url, headers=place.headers, timeout=600, limits=limits
    ) as client:
        sends = (_form if number % 2 else _tus for number in range(count))
        return await asyncio.gather(
            *(send(client, number, size_bytes) for number, send in enumerate(sends))
        )


async def _form(client: httpx.AsyncClient, number: int, size_bytes: int) -> str:
    begin = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    body = _body(begin, size_bytes, number, b"\r\n--x--\r\n")
    answer = await client.post("/v1/videos", content=body, headers=headers)
    return str(answer.raise_for_status().json()["id"])


async def _tus(client: httpx.AsyncClient, number: int, size_bytes: int) -> str:
    answer = await client.post("/v1/uploads", headers={**TUS, "Upload-Length": str(size_bytes)})
    path = answer.raise_for_status().headers["location"]
    headers = {**TUS, "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    body = _body(b"", size_bytes, number, b"")
    answer = await client.patch(path, content=body, headers=headers)
    return str(answer.raise_for_status().headers["trireel-video"])


async def _body(begin: bytes, size_bytes: int, seed: int, end: bytes) -> AsyncIterator[bytes]:
    yield begin
    for piece in film(size_bytes, seed):
        yield piece
    yield end
