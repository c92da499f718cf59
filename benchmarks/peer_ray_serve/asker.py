# SPDX-License-Identifier: Apache-2.0
"""The load generator: a process that asks one system, as its driver tells it.

Commands come as JSON lines on standard input, what it finds goes as JSON lines to standard output.
Both systems are asked in the same way: a closed loop of workers in one event loop, each with the
next request as soon as its last is answered. Only the protocol is the system's own: gRPC by
Trireel's public client, or HTTP with the client that the reference's load test uses.
"""

import argparse
import asyncio
import contextlib
import json
import math
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import asdict, dataclass, field
from itertools import repeat
from typing import Any

import httpx
import numpy as np

TIMEOUT_SECONDS = 600.0
PAUSE_SECONDS = 0.1  # after a failure, so that a server that refuses is not flooded
Ask = Callable[[Any], Awaitable[Any]]


def tell(**found: Any) -> None:
    """Write a line for the driver."""
    print(json.dumps(found), flush=True)


@dataclass
class Level:
    """A closed loop of so many workers; what counts is what is answered within its window."""

    concurrency: int
    seconds: float
    """Length of the window, which begins when as many requests are answered as there are workers.
    Infinite: the window is from the first request to the last answer."""
    latencies_ms: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    window_seconds: float = 0.0
    client_cpu_seconds: float = 0.0

    async def run(self, ask: Ask, items: Iterable[Any]) -> None:
        """Ask until the time or the items have run out; what is under way is waited for."""
        self._items, self._settled, self._stop = iter(items), 0, False
        self._open = math.isinf(self.seconds)
        if self._open:
            self._begin()
        await asyncio.gather(*(self._work(ask) for _ in range(self.concurrency)))
        self._end()

    async def _work(self, ask: Ask) -> None:
        while not self._stop and (item := next(self._items, None)) is not None:
            began = time.monotonic()
            try:
                await ask(item)
            except Exception as error:  # counted: a benchmark must not stop at a refusal
                self.errors.append(f"{type(error).__name__}: {error}"[:300])
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            if self._open:
                self.latencies_ms.append(round((time.monotonic() - began) * 1e3, 2))
            self._settled += 1
            if self._settled == self.concurrency and math.isfinite(self.seconds):
                self._open = True
                self._begin()
                asyncio.get_running_loop().call_later(self.seconds, self._end)

    def _begin(self) -> None:
        self._began, self._cpu = time.monotonic(), time.process_time()
        tell(event="began")

    def _end(self) -> None:
        if self._open:
            self._open, self._stop = False, True
            self.window_seconds = round(time.monotonic() - self._began, 4)
            self.client_cpu_seconds = round(time.process_time() - self._cpu, 4)
            tell(event="ended")


class TrireelAsker:
    """Asks Trireel by its public asyncio client, for files by their path on the server."""

    def __init__(self, address: str) -> None:
        from trireel_client import AsyncTrireelClient, Retry, Timeout

        self._address = address
        # The reference's client asks once, so that this one does too: a failure is a failure.
        self._client = AsyncTrireelClient(
            address,
            timeout=Timeout(request_seconds=TIMEOUT_SECONDS),
            retries=Retry(attempts=1),
        )

    async def analyze(self, video: str, **options: Any) -> Any:
        """Have a video analysed."""
        from trireel_client import ServerPath

        source = video if video.startswith("s3://") else ServerPath(video)
        return await self._client.analyze(source, **options)

    async def chunks(self, video: str) -> list[dict[str, Any]]:
        """Return what the comparison wants of each chunk."""
        analysis = await self.analyze(video, with_embeddings=True)
        return [
            {"tag": chunk.tags[0].text, "embedding": chunk.embedding.tolist()}
            for chunk in analysis.chunks
        ]

    @contextlib.asynccontextmanager
    async def tower(self, batch: int, size_px: int, connections: int) -> AsyncIterator[Ask]:
        """Yield what asks siglip_vision for a batch, each time by the next connection."""
        from tritonclient.grpc import InferInput
        from tritonclient.grpc.aio import InferenceServerClient

        own = [("grpc.use_local_subchannel_pool", 1)]
        clients = [
            InferenceServerClient(self._address, channel_args=own) for _ in range(connections)
        ]
        idle = list(clients)
        shape = (batch, size_px, size_px, 3)
        frames = InferInput("FRAMES", shape, "UINT8")
        frames.set_data_from_numpy(np.random.default_rng(0).integers(0, 256, shape, np.uint8))

        async def ask(_: Any) -> None:
            client = idle.pop()
            try:
                answer = await client.infer("siglip_vision", [frames])
            finally:
                idle.append(client)
            if answer.as_numpy("EMBEDDINGS").shape[0] != batch:
                raise ValueError("siglip_vision gave another number of embeddings")

        yield ask
        for client in clients:
            await client.close()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


class RayServeAsker:
    """Asks the pipeline on Ray Serve over HTTP."""

    def __init__(self, address: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(
            base_url=f"http://{address}", timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False
        )

    async def analyze(self, video: str, **options: Any) -> Any:
        """Have a video analysed."""
        body = {"stream_id": video, "video_path": video, **options}
        response = await self._client.post("/analyze", json=body)
        response.raise_for_status()
        return response.json()

    async def chunks(self, video: str) -> list[dict[str, Any]]:
        """Return what the comparison wants of each chunk."""
        answer = await self.analyze(video, with_embeddings=True)
        return [
            {"tag": chunk["tags"][0]["text"], "embedding": chunk["embedding"]}
            for chunk in answer["chunks"]
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


ASKERS = {"trireel": TrireelAsker, "ray_serve": RayServeAsker}


async def obey(asker: Any, command: dict[str, Any]) -> None:
    """Do what the driver wants, and tell it."""
    match command.pop("do"):
        case "answer":
            tell(answers=[await asker.chunks(video) for video in command["videos"]])
        case "level":
            level = Level(command["concurrency"], command["seconds"])
            await level.run(asker.analyze, command["videos"])
            tell(level=asdict(level))
        case "tower":
            level = Level(command["concurrency"], command["seconds"])
            requests = repeat(0) if command["requests"] is None else range(command["requests"])
            ask = asker.tower(command["batch"], command["size_px"], level.concurrency)
            async with ask as embed:
                await level.run(embed, requests)
            tell(level=asdict(level))


async def main() -> None:
    """Obey until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("system", choices=ASKERS)
    parser.add_argument("address")
    arguments = parser.parse_args()
    asker = ASKERS[arguments.system](arguments.address)
    tell(event="ready")
    try:
        while line := await asyncio.to_thread(sys.stdin.readline):
            await obey(asker, json.loads(line))
    finally:
        await asker.close()


if __name__ == "__main__":
    asyncio.run(main())
