# SPDX-License-Identifier: Apache-2.0
"""VideoAnalyzer: the ingress, which leads a video through the other two deployments."""

import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import aioboto3
import numpy as np
from fastapi import FastAPI, HTTPException
from numpy.typing import NDArray
from ray import serve
from ray.serve.handle import DeploymentHandle

from benchmarks.common.ray_pipeline import Chunk
from benchmarks.peer_ray_serve.peer.decoder import TOP_TAGS
from benchmarks.peer_ray_serve.peer.schema import AnalyzeRequest, AnalyzeResponse
from benchmarks.peer_ray_serve.peer.video import FrameSampler, Sampling

Extraction = Literal["chunks", "video"]
Results = list[dict[str, Any]]
web = FastAPI()


class Stopwatch:
    """Milliseconds between one look and the next."""

    def __init__(self) -> None:
        self._began = self._last = time.perf_counter()

    def lap_ms(self) -> float:
        """Return the time since the last look."""
        last, self._last = self._last, time.perf_counter()
        return round((self._last - last) * 1e3, 2)

    def total_ms(self) -> float:
        """Return the time since the start."""
        return round((time.perf_counter() - self._began) * 1e3, 2)


def answer(request: AnalyzeRequest, chunks: list[Chunk], results: Results) -> dict[str, Any]:
    """Return what is said of the whole video and of its chunks."""
    scores = defaultdict(list)
    for result in results:
        for tag in result["tags"]:
            scores[tag["text"]].append(tag["score"])
    means = [{"text": text, "score": float(np.mean(of))} for text, of in scores.items()]
    captions = [result["retrieval_caption"] for result in results]
    changes = [change for result in results for change in result["scene_changes"]]
    return {
        "stream_id": request.stream_id,
        "embedding_dim": len(results[0]["pooled"]),
        "tags": sorted(means, key=lambda tag: -tag["score"])[:TOP_TAGS],
        "retrieval_caption": max(captions, key=lambda caption: caption["score"]),
        "scene_changes": changes,
        "num_scene_changes": len(changes),
        "chunks": [
            {
                "chunk_index": chunk.index,
                "start_time": chunk.start_seconds,
                "duration": chunk.duration_seconds,
                "embedding": result["pooled"].tolist() if request.with_embeddings else None,
                **{k: result[k] for k in ("tags", "retrieval_caption", "scene_changes")},
            }
            for chunk, result in zip(chunks, results, strict=True)
        ],
        "num_chunks": len(chunks),
        "video_duration": chunks[-1].start_seconds + chunks[-1].duration_seconds,
    }


# The original takes four a replica, and gets more replicas as more is asked. Here is no room for a
# second one, and what is over the limit would be asked for again and again by the proxy: measured
# on two cores, 16 at once, four in this one cost more CPU time a request than 16 do.
@serve.deployment(max_ongoing_requests=16)
@serve.ingress(web)
class VideoAnalyzer:
    """Answers for whole videos."""

    def __init__(
        self,
        encoder: DeploymentHandle,
        decoder: DeploymentHandle,
        frame_px: int,
        extraction: Extraction,
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._frame_px = frame_px
        self._sampler = FrameSampler()
        self._sample = {"chunks": self._sampler.one_by_one, "video": self._sampler.together}[
            extraction
        ]
        self._s3: Any = None

    @web.post("/analyze")
    async def analyze(self, request: AnalyzeRequest) -> AnalyzeResponse:
        """Analyse a video: its chunks are encoded at once and decoded one after the other."""
        watch, timing = Stopwatch(), {}
        async with self._local(request.video_path) as path:
            timing["s3_download_ms"] = watch.lap_ms()
            chunks = await self._sampler.chunks(path, request.chunk_duration)
            if not chunks:
                raise HTTPException(400, "the video is too short for a chunk")
            sampling = Sampling(request.num_frames, self._frame_px)
            frames = await self._sample(path, chunks, sampling)
        timing["decode_video_ms"] = watch.lap_ms()
        encoded = [self._encoder.remote(each) for each in frames]
        timing["encode_ms"] = watch.lap_ms()
        results: Results = []
        ema: NDArray[np.float32] | None = None
        for chunk, embeddings in zip(chunks, encoded, strict=True):
            # Not awaited here: Ray hands the embeddings from the encoder to the decoder.
            results.append(await self._decoder.remote(embeddings, chunk, ema))
            ema = results[-1]["ema"]
        timing["decode_ms"] = watch.lap_ms()
        timing["total_ms"] = watch.total_ms()
        return AnalyzeResponse(timing_ms=timing, **answer(request, chunks, results))

    @web.get("/health")
    async def health(self) -> dict[str, str]:
        """Say that this replica is there."""
        return {"status": "healthy"}

    @asynccontextmanager
    async def _local(self, video: str) -> AsyncIterator[str]:
        """Download a video for the length of the context; a path is read where it is."""
        address = urlsplit(video)
        if address.scheme != "s3":
            yield video
            return
        if self._s3 is None:
            self._s3 = await aioboto3.Session().client("s3").__aenter__()
        with tempfile.NamedTemporaryFile(suffix=Path(address.path).suffix) as file:
            try:
                await self._s3.download_file(address.netloc, address.path.lstrip("/"), file.name)
            except Exception as error:
                raise HTTPException(400, f"cannot download the video: {error}") from error
            yield file.name
