# SPDX-License-Identifier: Apache-2.0
"""Orchestrating one whole video: chunks are encoded side by side and decoded strictly in order."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.whole_video.budget import AnswerBudget
from trireel_backend.whole_video.lookahead import EncodeAhead, EncodedChunk, TimedSpan
from trireel_backend.whole_video.pipeline import AnalysisRequest, Stages, VideoPlan
from trireel_backend.whole_video.turns import Turns
from trireel_backend.wire.tensors import Tensors, scalar, stack_chunks, texts
from trireel_schema.catalogue import FREE_TEXTS
from trireel_schema.stages import TIMING_STAGES, TOTAL


@dataclass
class _Clock:
    """Busy milliseconds of each stage, added up over chunks."""

    began: float = field(default_factory=time.monotonic)
    busy_ms: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMING_STAGES, 0.0))

    def add(self, stage: str, began_seconds: float) -> None:
        self.busy_ms[stage] += (time.monotonic() - began_seconds) * 1e3

    def add_encoding(self, encoded: TimedSpan) -> None:
        began_ns, ended_ns = encoded.span.extract_began_ns, encoded.span.extract_ended_ns
        self.busy_ms["extract"] += (ended_ns - began_ns) / 1e6
        self.busy_ms["encode"] += (encoded.ended_ns - ended_ns) / 1e6

    def tensors(self) -> Tensors:
        total_ms = (time.monotonic() - self.began) * 1e3 + self.busy_ms["fetch"]
        busy_ms = {**self.busy_ms, TOTAL: total_ms}
        milliseconds = np.array([busy_ms[stage] for stage in TIMING_STAGES])
        return {"TIMING_STAGES": texts(TIMING_STAGES), "TIMING_MS": milliseconds}


async def analyze_video(
    request: AnalysisRequest, stages: Stages, *, window: int
) -> AsyncGenerator[dict[str, NDArray[Any]], None]:
    """Yield the answer of each chunk in order, then that of the whole video.

    Args:
        window: spans of chunks that may be in the encoder at once: enough to extract the next
            span while another is encoded and a third is decoded.

    Closing the iterator early stops the work: no further chunks are requested, and the decoder's
    sequence is closed.

    Raises:
        TooMuchWork: if the video has too many frames, or its answer would be too large.
    """
    clock = _Clock()
    clock.busy_ms["fetch"] = request.fetch_ms
    plan = await stages.plan(request)
    request.limits.check_frames(len(plan.chunks), request.frames_per_chunk)
    budget = AnswerBudget(request.limits, len(plan.chunks))
    options = await _with_free_texts(request, stages)
    encoding = EncodeAhead(
        partial(stages.encode, request),
        plan.chunks,
        window=window,
        most_chunks=request.most_chunks,
        waited_ns=plan.waited_ns,
    )
    sequence = Turns(stages, options, last_index=len(plan.chunks) - 1)
    answers: list[dict[str, NDArray[Any]]] = []
    try:
        for chunk in plan.chunks:
            encoded = await sequence.keep_alive_until(encoding.next(clock.add_encoding))
            began = time.monotonic()
            answer = await sequence.decode(chunk, encoded)
            clock.add("decode", began)
            answers.append(_complete(answer, chunk, encoded, request, plan))
            budget.add(answers[-1])
            yield _answer(answers[-1], clock, is_aggregate=False)
    finally:
        await encoding.finish()
        await sequence.close()
    yield _answer(stack_chunks(answers), clock, is_aggregate=True)


def _answer(tensors: Tensors, clock: _Clock, *, is_aggregate: bool) -> dict[str, NDArray[Any]]:
    return {**tensors, **clock.tensors(), "IS_AGGREGATE": scalar(is_aggregate, np.bool_)}


async def _with_free_texts(request: AnalysisRequest, stages: Stages) -> Tensors:
    """Return the decoder's inputs, with the free texts and their embeddings."""
    options = dict(request.options)
    for name, values in request.free_texts.items():
        options[name] = texts(values)
        options[FREE_TEXTS[name]] = await stages.embed_texts(values, are_tags=name == "TAGS")
    return options


def _complete(
    answer: dict[str, NDArray[Any]],
    chunk: Chunk,
    encoded: EncodedChunk,
    request: AnalysisRequest,
    plan: VideoPlan,
) -> dict[str, NDArray[Any]]:
    """Add the orchestrator's facts about the chunk and the video to the decoder's answer."""
    complete = {
        **answer,
        "CHUNK_START_SECONDS": scalar(chunk.start_seconds, np.float64),
        "CHUNK_DURATION_SECONDS": scalar(chunk.duration_seconds, np.float64),
        **plan.facts,
        **encoded.facts,
        "NUM_CHUNKS": scalar(len(plan.chunks), np.int32),
        "EMBEDDING_DIM": scalar(encoded.embeddings.shape[1], np.int32),
    }
    if request.with_embeddings:
        complete["EMBEDDINGS"] = encoded.embeddings
    else:
        complete.pop("CHUNK_EMBEDDINGS", None)
    return complete
