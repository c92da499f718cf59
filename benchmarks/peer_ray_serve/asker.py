# SPDX-License-Identifier: Apache-2.0
"""The load generator: a process that sends requests to one system.

Commands are JSON lines on standard input, results JSON lines on standard output. Both systems get
the same closed loop; only the protocol is the system's own: gRPC by Trireel's public client, or
HTTP by the client of the reference's load test.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import asdict
from itertools import repeat
from typing import Any

import httpx
import numpy as np
from tritonclient.grpc import InferInput
from tritonclient.grpc.aio import InferenceServerClient

from benchmarks.common.asker import TIMEOUT_SECONDS, follow_commands, tell
from benchmarks.common.load import Ask, Level
from trireel_client import AsyncTrireelClient, Retry, ServerPath, Timeout

OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


class TrireelAsker:
    """Sends requests to Trireel by its public asyncio client."""

    def __init__(self, address: str) -> None:
        # Without retries, as the reference's client: a failure is counted as one.
        self._client = AsyncTrireelClient(
            address, timeout=Timeout(request_seconds=TIMEOUT_SECONDS), retries=Retry(attempts=1)
        )

    async def analyze(self, video: str, **options: Any) -> Any:
        """Analyse a video, a path on the server or a URI of S3."""
        source = video if video.startswith("s3://") else ServerPath(video)
        return await self._client.analyze(source, **options)

    async def chunks(self, video: str) -> list[dict[str, Any]]:
        """Return first tag and embedding of each chunk, for the comparison."""
        analysis = await self.analyze(video, with_embeddings=True)
        return [
            {"tag": chunk.tags[0].text, "embedding": chunk.embedding.tolist()}
            for chunk in analysis.chunks
        ]

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


class RayServeAsker:
    """Sends requests to the pipeline on Ray Serve over HTTP."""

    def __init__(self, address: str) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._client = httpx.AsyncClient(
            base_url=f"http://{address}", timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False
        )

    async def analyze(self, video: str, **options: Any) -> Any:
        """Analyse a video."""
        body = {"stream_id": video, "video_path": video, **options}
        response = await self._client.post("/analyze", json=body)
        response.raise_for_status()
        return response.json()

    async def chunks(self, video: str) -> list[dict[str, Any]]:
        """Return first tag and embedding of each chunk, for the comparison."""
        answer = await self.analyze(video, with_embeddings=True)
        return [
            {"tag": chunk["tags"][0]["text"], "embedding": chunk["embedding"]}
            for chunk in answer["chunks"]
        ]

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


ASKERS = {"trireel": TrireelAsker, "ray_serve": RayServeAsker}


@contextlib.asynccontextmanager
async def tower(address: str, batch: int, size_px: int, connections: int) -> AsyncIterator[Ask]:
    """Yield a function that sends a batch to siglip_vision, by connections that take turns."""
    clients = [
        InferenceServerClient(address, channel_args=OWN_CONNECTION) for _ in range(connections)
    ]
    idle = list(clients)
    shape = (batch, size_px, size_px, 3)
    frames = InferInput("FRAMES", shape, "UINT8")
    frames.set_data_from_numpy(np.random.default_rng(0).integers(0, 256, shape, np.uint8))

    async def embed(_: Any) -> None:
        client = idle.pop()
        try:
            answer = await client.infer("siglip_vision", [frames])
        finally:
            idle.append(client)
        if answer.as_numpy("EMBEDDINGS").shape[0] != batch:
            raise ValueError("siglip_vision returned another number of embeddings")

    yield embed
    for client in clients:
        await client.close()


async def obey(asker: Any, address: str, command: dict[str, Any]) -> None:
    """Execute a command of the driver, and write its result."""

    def event(name: str) -> None:
        tell(event=name)

    match command.pop("do"):
        case "answer":
            tell(answers=[await asker.chunks(video) for video in command["videos"]])
        case "level":
            level = Level(command["concurrency"], command["seconds"])
            await level.run(asker.analyze, command["videos"], event)
            tell(level=asdict(level))
        case "tower":
            level = Level(command["concurrency"], command["seconds"])
            requests = repeat(0) if command["requests"] is None else range(command["requests"])
            batch, size_px = command["batch"], command["size_px"]
            async with tower(address, batch, size_px, level.concurrency) as embed:
                await level.run(embed, requests, event)
            tell(level=asdict(level))


if __name__ == "__main__":
    asyncio.run(follow_commands(__doc__, ASKERS, obey))
