# SPDX-License-Identifier: Apache-2.0
"""What the loopback servers are told to answer, and what they are asked."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.certificates import Certificate

Tensors = dict[str, NDArray[Any]]

NUM_CHUNKS = 3
FRAMES = 4
WIDTH = 8
TIME_BASE = (1, 12800)


class Refused(Exception):
    """Makes a loopback server answer with an error."""

    def __init__(
        self,
        grpc_code: str,
        http_status: int,
        message: str = "scripted",
        retry_after: str | None = None,
    ) -> None:
        super().__init__(message)
        self.grpc_code = grpc_code
        self.http_status = http_status
        self.headers = {} if retry_after is None else {"retry-after": retry_after}


UNAVAILABLE = Refused("UNAVAILABLE", 503, "the queue is full")
NO_START = Refused(
    "INVALID_ARGUMENT",
    400,
    "in ensemble 'video_chunk', inference request for sequence x to model 'temporal_decoder' must"
    " specify the START flag on the first request of the sequence",
)
INVALID = Refused("INVALID_ARGUMENT", 400, "TOP_K is 0: give a number from 1 to 1000")
NOT_FOUND = Refused("NOT_FOUND", 404, "'a.mp4' is not in the media folder")


@dataclass(frozen=True)
class ServerTls:
    """How a loopback server speaks TLS."""

    own: Certificate
    """Its certificate and key."""
    clients: Path | None = None
    """The authority of its clients' certificates, if it wants any."""
    newest: ssl.TLSVersion | None = None
    """No version above it; HTTP alone."""


@dataclass
class Asked:
    """One inference request, as it arrived."""

    model: str
    inputs: Tensors
    outputs: list[str]
    request_id: str
    parameters: dict[str, Any]
    headers: Mapping[str, str]


@dataclass
class Script:
    """Answers by model name; whatever is put into `refusals` is answered first."""

    answers: dict[str, Callable[[Asked], Any]] = field(default_factory=dict)
    refusals: list[Exception] = field(default_factory=list)
    parameters: dict[str, str] | Exception = field(default_factory=dict)
    ready: bool = True
    models_ready: dict[str, bool] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    cancelled: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)
    """Set by a test that wants a waiting answer to come."""

    def answer(self, asked: Asked) -> Any:
        """Return what the script says to a request."""
        self.asked.append(asked)
        if self.refusals:
            raise self.refusals.pop(0)
        if asked.model not in self.answers:
            raise Refused("NOT_FOUND", 404, f"unknown model {asked.model!r}")
        return self.answers[asked.model](asked)

    def asked_of(self, model: str) -> list[Asked]:
        """Return the requests that reached a model."""
        return [asked for asked in self.asked if asked.model == model]


def whole_video(num_chunks: int = NUM_CHUNKS, *, with_embeddings: bool = False) -> Tensors:
    """Return the answer for a video of chunks of 10 s, with a cut in the second and the third."""
    chunks = [one_chunk(i, with_embeddings=with_embeddings) for i in range(num_chunks)]
    stacked = ("CHUNK_", "SCENE_", "TIMESTAMPS", "PTS", "EMBEDDINGS")
    joined = {
        name: np.concatenate([chunk[name] for chunk in chunks])
        for name in chunks[0]
        if name.startswith(stacked)
    }
    return {**chunks[-1], **joined, "NUM_CHUNKS": np.array([num_chunks], np.int32)}


def one_chunk(index: int, *, with_embeddings: bool = False) -> Tensors:
    """Return the answer for a chunk of that video."""
    cuts = 1 if index else 0
    rng = np.random.default_rng(index)
    timestamps = 10.0 * index + 1.25 + 2.5 * np.arange(FRAMES)
    tensors = {
        "CHUNK_INDICES": np.array([index], np.int32),
        "CHUNK_START_SECONDS": np.array([10.0 * index]),
        "CHUNK_DURATION_SECONDS": np.array([10.0]),
        **scored("CHUNK_TAG_{}S", [["beach", "park"], ["kitchen", "café"]][index % 2], (1, 2)),
        **scored("CHUNK_CAPTION_{}S", [f"caption {index}"], (1,)),
        **scored("TAG_{}S", ["kitchen", "beach"], (2,)),
        **scored("CAPTION_{}", ["A person cooking"], (1,)),
        "SCENE_TIMESTAMPS": np.array([10.0 * index + 3.75] * cuts),
        "SCENE_SCORES": np.array([0.4] * cuts, np.float32),
        "SCENE_CHUNK_INDICES": np.array([index] * cuts, np.int32),
        "SCENE_FRAME_INDICES": np.array([1] * cuts, np.int32),
        "CHUNK_NUM_FRAMES": np.array([FRAMES], np.int32),
        "CHUNK_DAMAGED_PACKETS": np.array([0], np.int32),
        "TIMESTAMPS": timestamps,
        "PTS": (timestamps * TIME_BASE[1]).astype(np.int64),
        "TIME_BASE": np.array(TIME_BASE),
        "SCENE_TRACE": np.array([0.0, 0.4 * cuts, 0.1, 0.05], np.float32),
        "VIDEO_START_SECONDS": np.array([0.0]),
        "VIDEO_DURATION_SECONDS": np.array([30.0]),
        "IS_COMPLETE": np.array([True]),
        "STREAM_INDEX": np.array([0], np.int32),
        "VIDEO_STREAM_INDICES": np.array([0], np.int32),
        "DECODER": bytes_of(["h264"]),
        "NUM_CHUNKS": np.array([NUM_CHUNKS], np.int32),
        "EMBEDDING_DIM": np.array([WIDTH], np.int32),
        "TIMING_STAGES": bytes_of(["fetch", "extract", "encode", "decode", "total"]),
        "TIMING_MS": np.array([1.0, 20.5, 30.0, 0.5, 40.0]),
    }
    if with_embeddings:
        tensors["CHUNK_EMBEDDINGS"] = rng.random((1, WIDTH), np.float32)
        tensors["EMBEDDINGS"] = rng.random((FRAMES, WIDTH), np.float32)
    return tensors


def details() -> Tensors:
    """Return the answer of `server_info`."""
    texts = {
        "CHECKPOINT": ["toy"],
        "CHECKPOINT_NOTE": ["It knows drawings only."],
        "WEIGHTS_SHA256": ["2e0abb2998c7b5a1"],
        "PRECISION": ["fp32"],
        "RUNTIME": ["onnxruntime"],
        "VERSION": ["0.1.0"],
        "FFMPEG_VERSION": ["8.1.2"],
        "TEXT_BANK_SHA256": ["77c0ffee77c0ffee"],
        "FINDINGS": ["tags", "caption"],
        "SCENE_MODES": ["sampled", "refined"],
    }
    whole = {"IMAGE_SIZE_PX": 96, "EMBEDDING_DIM": WIDTH, "NUM_TAGS": 20, "NUM_DESCRIPTIONS": 7}
    return {
        **{name: bytes_of(values) for name, values in texts.items()},
        **{name: np.array([value], np.int32) for name, value in whole.items()},
        "SCENE_THRESHOLD": np.array([0.15], np.float32),
        "SCENE_ALPHA": np.array([0.25], np.float32),
        "CHUNK_SECONDS": np.array([10.0]),
        "FRAMES_PER_CHUNK": np.array([16], np.int32),
    }


def stream_of(num_chunks: int = NUM_CHUNKS) -> Iterator[Tensors]:
    """Yield what a stream answers."""
    for i in range(num_chunks):
        yield {**one_chunk(i), "IS_AGGREGATE": np.array([False])}
    yield {**whole_video(num_chunks), "IS_AGGREGATE": np.array([True])}


def plan(num_chunks: int = NUM_CHUNKS) -> Tensors:
    """Return what the extractor says of the video's chunks."""
    return {
        "PLAN_START_SECONDS": 10.0 * np.arange(num_chunks),
        "PLAN_DURATION_SECONDS": np.full(num_chunks, 10.0),
        "VIDEO_DURATION_SECONDS": np.array([30.0]),
    }


def stepped_chunk(asked: Asked) -> Tensors:
    """Answer as `video_chunk` does: with the chunk's embedding, without plan and timing."""
    chunk = one_chunk(round(float(asked.inputs["START_SECONDS"][0]) / 10), with_embeddings=True)
    lacking = ("EMBEDDINGS", "NUM_CHUNKS", "EMBEDDING_DIM", "TIMING_STAGES", "TIMING_MS")
    state = state_after(int(chunk["CHUNK_INDICES"][0])) if "RETURN_STATE" in asked.inputs else b""
    tensors = {name: tensor for name, tensor in chunk.items() if name not in lacking}
    return {**tensors, "STATE": np.frombuffer(state, np.uint8)}


def state_after(index: int) -> bytes:
    """Return the state of the video after a chunk."""
    return f"the state after chunk {index}".encode()


def scored(pattern: str, texts: list[str], shape: tuple[int, ...]) -> Tensors:
    """Return texts with scores and probabilities under names made from a pattern."""
    probability = "PROBABILITIES" if pattern.endswith("S") else "PROBABILITY"
    prefix = pattern.partition("{")[0]
    scores = np.linspace(0.9, 0.8, len(texts), dtype=np.float32).reshape(shape)
    return {
        pattern.format("TEXT"): bytes_of(texts).reshape(shape),
        pattern.format("SCORE"): scores,
        prefix + probability: scores / 2,
    }


def bytes_of(texts: list[str]) -> NDArray[np.object_]:
    """Return texts as a BYTES tensor."""
    return np.array([text.encode() for text in texts], np.object_)
