# SPDX-License-Identifier: Apache-2.0
"""The pipeline's stages as calls of the other models of the same server."""

import time
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.whole_video.lookahead import EncodedChunk, EncodedSpan
from trireel_backend.whole_video.pipeline import AnalysisRequest, VideoPlan
from trireel_backend.wire.request import KEEP_OPEN, KEEP_SEQUENCE
from trireel_backend.wire.tensors import Tensors, scalar, texts
from trireel_backend.wire.turn import Turn
from trireel_schema.catalogue import (
    DEFAULT_FINDINGS,
    EVERY_CHUNK_OUTPUTS,
    VIEW_TENSORS,
    finding_outputs,
)

TEXT_BATCH = 64  # siglip_text's max_batch_size
VIDEO_FACTS = (
    "VIDEO_START_SECONDS",
    "VIDEO_DURATION_SECONDS",
    "IS_COMPLETE",
    "STREAM_INDEX",
    "VIDEO_STREAM_INDICES",
    "FRAME_RATE",
    "IS_VFR",
)
LOOK_OUTPUTS = ("PLAN_START_SECONDS", "PLAN_DURATION_SECONDS", "EXTRACT_NS", *VIDEO_FACTS)
FRAMES_FACTS = (
    "TIMESTAMPS",
    "PTS",
    "TIME_BASE",
    "DECODER",
    "PICTURE_SIZE_PX",
    "CHUNK_NUM_FRAMES",
    "CHUNK_DAMAGED_PACKETS",
)
ENCODER_OUTPUTS = ("EMBEDDINGS", "EXTRACT_NS", *FRAMES_FACTS)


class CallModel(Protocol):
    """Calls a model of this server: `adapter.call_model`."""

    async def __call__(
        self,
        model_name: str,
        inputs: Tensors,
        outputs: Sequence[str],
        *,
        turn: Turn | None = None,
        parameters: Mapping[str, bool] = MappingProxyType({}),
        is_decoupled: bool = False,
    ) -> dict[str, NDArray[Any]]:
        """Return the outputs by name; `turn` is the position of the request in its sequence."""


class ModelStages:
    """`pipeline.Stages` as calls of the other models of this server."""

    def __init__(self, call_model: CallModel) -> None:
        self._call_model = call_model

    async def plan(self, request: AnalysisRequest) -> VideoPlan:
        """Probe the video and plan its chunks."""
        inputs = {
            "VIDEO": texts([request.video]),
            "CHUNK_SECONDS": scalar(request.chunk_seconds, np.float64),
            "FRAMES_PER_CHUNK": scalar(0, np.int32),
        }
        if "STREAM_INDEX" in request.sampling:
            inputs["STREAM_INDEX"] = request.sampling["STREAM_INDEX"]
        requested_ns = time.monotonic_ns()
        plan = await self._call_model("frame_extractor", inputs, LOOK_OUTPUTS)
        planned = zip(plan["PLAN_START_SECONDS"], plan["PLAN_DURATION_SECONDS"], strict=True)
        chunks = (
            Chunk(index, float(start), float(duration))
            for index, (start, duration) in enumerate(planned)
        )
        facts = {name: plan[name] for name in VIDEO_FACTS}
        return VideoPlan(tuple(chunks), facts, int(plan["EXTRACT_NS"][0]) - requested_ns)

    async def encode(
        self, request: AnalysisRequest, chunks: Sequence[Chunk], *, keep_open: bool
    ) -> EncodedSpan:
        """Extract and encode some neighbouring chunks."""
        inputs: Tensors = {
            **request.sampling,
            "VIDEO": texts([request.video]),
            "START_SECONDS": np.array([chunk.start_seconds for chunk in chunks]),
            "CHUNK_SECONDS": scalar(request.chunk_seconds, np.float64),  # cut at the video's end
        }
        parameters = {KEEP_OPEN: keep_open}
        view_outputs = VIEW_TENSORS if request.with_second_views else ()
        encoded = await self._call_model(
            "chunk_encoder", inputs, (*ENCODER_OUTPUTS, *view_outputs), parameters=parameters
        )
        began_ns, ended_ns = encoded["EXTRACT_NS"]
        facts = {name: encoded[name] for name in FRAMES_FACTS}
        views = {name: encoded[name] for name in view_outputs}
        return EncodedSpan(encoded["EMBEDDINGS"], facts, int(began_ns), int(ended_ns), views)

    async def decode(
        self, turn: Turn, chunk: Chunk, encoded: EncodedChunk, options: Tensors
    ) -> dict[str, NDArray[Any]]:
        """Decode a video's next chunk."""
        inputs: Tensors = {
            **options,
            **encoded.views,
            "EMBEDDINGS": encoded.embeddings,
            "TIMESTAMPS": encoded.facts["TIMESTAMPS"],
            "CHUNK_START_SECONDS": scalar(chunk.start_seconds, np.float64),
            "CHUNK_DURATION_SECONDS": scalar(chunk.duration_seconds, np.float64),
        }
        outputs = finding_outputs(_findings(options))
        return await self._call_model("temporal_decoder", inputs, outputs, turn=turn)

    async def keep(self, turn: Turn, encoded: EncodedChunk) -> None:
        """Keep a video's sequence alive in the decoder."""
        inputs = {
            "EMBEDDINGS": encoded.embeddings[:1],
            "TIMESTAMPS": encoded.facts["TIMESTAMPS"][:1],
        }
        parameters = {KEEP_SEQUENCE: True}
        await self._call_model(
            "temporal_decoder", inputs, EVERY_CHUNK_OUTPUTS[:1], turn=turn, parameters=parameters
        )

    async def embed_texts(self, values: Sequence[str], *, are_tags: bool) -> NDArray[np.float32]:
        """Return the embeddings [m, D] of free texts."""
        embedded = []
        for first in range(0, len(values), TEXT_BATCH):
            column = texts(values[first : first + TEXT_BATCH])[:, None]
            inputs = {"TEXTS": column, "ARE_TAGS": np.full(column.shape, are_tags)}
            embedded.append(await self._call_model("siglip_text", inputs, ["EMBEDDINGS"]))
        return np.concatenate([answer["EMBEDDINGS"] for answer in embedded])


def _findings(options: Tensors) -> tuple[str, ...]:
    """Return the findings that a request's options name."""
    if "FIND" not in options:
        return DEFAULT_FINDINGS
    return tuple(dict.fromkeys(bytes(name).decode() for name in options["FIND"]))
