# SPDX-License-Identifier: Apache-2.0
"""DetectionApi: the ingress, which leads a video through the other three deployments."""

import asyncio
from typing import Any, Literal

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel
from ray import serve
from ray.serve.handle import DeploymentHandle

from benchmarks.common.ray_pipeline import Chunk
from benchmarks.objects.peer.frames import middles

web = FastAPI()


class DetectRequest(BaseModel):
    """A video to look for objects in."""

    video_path: str
    mode: Literal["chunked", "combined"] = "chunked"
    fps: float = 2.0
    chunk_duration: float = 10.0


@serve.deployment(max_ongoing_requests=16)
@serve.ingress(web)
class DetectionApi:
    """Answers for whole videos."""

    def __init__(
        self, chunker: DeploymentHandle, decoder: DeploymentHandle, detector: DeploymentHandle
    ) -> None:
        self._chunker, self._decoder, self._detector = chunker, decoder, detector

    @web.post("/detect")
    async def detect(self, request: DetectRequest) -> list[dict[str, Any]]:
        """Return the objects on each frame that was looked at."""
        chunks, size_px = await self._chunker.remote(request.video_path, request.chunk_duration)
        if not chunks:
            raise HTTPException(400, "the video is too short for a chunk")
        parts = [chunks] if request.mode == "combined" else [[chunk] for chunk in chunks]
        found = await asyncio.gather(*(self._part(request, part, size_px) for part in parts))
        return [frame for part in found for frame in part]

    async def _part(
        self, request: DetectRequest, chunks: list[Chunk], size_px: tuple[int, int]
    ) -> list[dict[str, Any]]:
        # Not awaited here: Ray hands the frames from the decoder to the detector.
        frames = self._decoder.remote(request.video_path, chunks, request.fps, size_px)
        objects = await self._detector.remote(frames)
        times = [time for chunk in chunks for time in middles(chunk, request.fps)]
        rows = zip(times, objects, strict=True)
        return [{"timestamp": time, "objects": of_frame} for time, of_frame in rows]
