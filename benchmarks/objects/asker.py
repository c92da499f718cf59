# SPDX-License-Identifier: Apache-2.0
"""The load generator: a process that sends requests to one system.

Commands are JSON lines on standard input, results JSON lines on standard output. Both systems get
the same closed loop; only the protocol is the system's own.
"""

import asyncio
from dataclasses import asdict
from functools import partial
from typing import Any

import httpx

from benchmarks.common.asker import TIMEOUT_SECONDS, follow_commands, tell
from benchmarks.common.load import Level
from trireel_client import AsyncTrireelClient, Detection, Retry, ServerPath, Timeout

FPS = 2.0
Frames = list[dict[str, Any]]


class TrireelAsker:
    """Sends requests to Trireel by its public asyncio client."""

    def __init__(self, address: str) -> None:
        self._client = AsyncTrireelClient(
            address, timeout=Timeout(request_seconds=TIMEOUT_SECONDS), retries=Retry(attempts=1)
        )

    async def analyze(self, video: str, mode: Any, find: list[str] | None = None) -> Any:
        """Analyse a video of the server's media folder; by default find objects alone."""
        return await self._client.analyze(
            ServerPath(video), find=find or ["objects"], objects_mode=mode, objects_fps=FPS
        )

    async def frames(self, video: str, mode: str) -> Frames:
        """Return the objects on each frame looked at, for the comparison."""
        objects = (await self.analyze(video, mode)).objects
        found: dict[float, list[Detection]] = {t: [] for t in objects.frame_timestamps_seconds}
        for detection in objects.detections:
            found[detection.timestamp_seconds].append(detection)
        return [{"timestamp": t, "objects": [_object(d) for d in of]} for t, of in found.items()]

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

    async def analyze(self, video: str, mode: str) -> Any:
        """Find the objects of a video."""
        body = {"video_path": video, "mode": mode, "fps": FPS}
        response = await self._client.post("/detect", json=body)
        response.raise_for_status()
        return response.json()

    async def frames(self, video: str, mode: str) -> Frames:
        """Return the objects on each frame looked at, for the comparison."""
        frames: Frames = await self.analyze(video, mode)
        return frames

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


ASKERS = {"trireel": TrireelAsker, "ray_serve": RayServeAsker}


def _object(detection: Detection) -> dict[str, Any]:
    return {"label": detection.label, "score": detection.score, "box": list(detection.box)}


async def obey(asker: Any, _address: str, command: dict[str, Any]) -> None:
    """Execute a command of the driver, and write its result."""
    match command.pop("do"):
        case "answer":
            tell(
                answers=[await asker.frames(video, command["mode"]) for video in command["videos"]]
            )
        case "level":
            level = Level(command["concurrency"], command["seconds"])
            options = {name: command[name] for name in ("mode", "find") if name in command}
            ask = partial(asker.analyze, **options)
            await level.run(ask, command["videos"], lambda name: tell(event=name))
            tell(level=asdict(level))


if __name__ == "__main__":
    asyncio.run(follow_commands(__doc__, ASKERS, obey))
