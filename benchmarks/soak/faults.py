# SPDX-License-Identifier: Apache-2.0
"""Faults on purpose, one request at a time, with the statuses that they may get."""

import queue
import random
import re
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tritonclient.grpc import InferInput

from benchmarks.soak.place import HANG_SECONDS, Clients, Place
from benchmarks.soak.tally import OK
from benchmarks.soak.vanishing import UNREAD, VANISHING
from trireel_client import ServerPath

_FULL = re.compile(r"the server (at \S+ )?is full: ")  # of the server, and of the client
Run = Callable[[Place, Clients, random.Random], None]


@dataclass(frozen=True)
class Fault:
    """A kind of fault."""

    name: str
    run: Run
    """Makes the fault; raises the server's error."""
    expects: frozenset[str]
    """Allowed statuses; OK is no error."""
    weight: float = 1.0
    """Frequency relative to the other kinds."""
    needs_s3: bool = False
    is_sent_once: bool = False
    """Whether there is no retry; such a fault may be rejected because the server is full."""


def is_full(message: str) -> bool:
    """Return whether an error says that the server is full."""
    return _FULL.search(message) is not None


def _analysis(video: Any, *, once: bool = False) -> Run:
    """Return a request for a whole video by a random way."""

    def run(place: Place, own: Clients, rng: random.Random) -> None:
        source = video(place, rng) if callable(video) else video
        if once:
            own.once.analyze(source)
        elif rng.random() < 0.3:
            own.http.analyze(source)
        elif rng.random() < 0.5:
            list(own.grpc.stream(source))
        else:
            own.grpc.analyze(source)

    return run


def _of_web(path: str) -> Callable[[Place, random.Random], str]:
    return lambda place, _: f"{place.web_url}/{path}?{next(place.numbers)}"


def _tensor(name: str, kind: str, value: Any) -> InferInput:
    array = np.asarray(value)
    tensor = InferInput(name, list(array.shape), kind)
    tensor.set_data_from_numpy(array)
    return tensor


def _clip() -> InferInput:
    return _tensor("VIDEO", "BYTES", np.array([b"sample.mp4"], np.object_))


WRONG: tuple[tuple[str, Mapping[str, tuple[str, Any]]], ...] = (
    ("video_analysis", {"TOP_K": ("FP32", np.ones(1, np.float32))}),
    ("video_analysis", {"TOP_K": ("INT32", np.array([1, 2], np.int32))}),
    ("video_analysis", {"TOP_K": ("INT32", np.array([0], np.int32))}),
    ("video_analysis", {"CHUNK_SECONDS": ("FP64", np.array([np.nan]))}),
    ("video_analysis", {"CHUNK_SECONDS": ("FP64", np.zeros((1, 1)))}),
    ("video_analysis", {"CROP": ("FP64", np.array([0.5, 0.5, np.nan, 0.5]))}),
    ("video_analysis", {"SCENE_ALPHA": ("FP32", np.array([np.nan], np.float32))}),
    ("video_analysis", {"STREAM_INDEX": ("INT32", np.array([7], np.int32))}),
    ("frame_extractor", {"START_SECONDS": ("FP64", np.array([np.nan]))}),
    ("frame_extractor", {"START_SECONDS": ("FP64", np.array([1e9]))}),
    ("chunk_encoder", {"FRAMES_PER_CHUNK": ("INT32", np.array([1000], np.int32))}),
)
WRONG_OF_DECODER = (
    {"EMBEDDINGS": np.full((2, 128), np.nan, np.float32), "TIMESTAMPS": np.zeros(2)},
    {"EMBEDDINGS": np.zeros((2, 7), np.float32), "TIMESTAMPS": np.zeros(2)},
    {"EMBEDDINGS": np.zeros((2, 128), np.float32), "TIMESTAMPS": np.full(2, np.nan)},
    {"EMBEDDINGS": np.zeros((0, 128), np.float32), "TIMESTAMPS": np.zeros(0)},
)


def wrong_tensor(place: Place, own: Clients, rng: random.Random) -> None:
    """Send a tensor of a wrong shape or type, or with impossible values."""
    model, inputs = rng.choice(WRONG)
    tensors = [_tensor(name, kind, value) for name, (kind, value) in inputs.items()]
    own.raw.infer(model, [_clip(), *tensors], client_timeout=HANG_SECONDS)


def wrong_embeddings(place: Place, own: Clients, rng: random.Random) -> None:
    """Start a sequence with invalid embeddings."""
    kinds = {"EMBEDDINGS": "FP32", "TIMESTAMPS": "FP64"}
    arrays = rng.choice(WRONG_OF_DECODER)
    tensors = [_tensor(name, kinds[name], array) for name, array in arrays.items()]
    sequence = {"sequence_id": uuid.uuid4().hex, "sequence_start": True, "sequence_end": True}
    own.raw.infer("temporal_decoder", tensors, client_timeout=HANG_SECONDS, **sequence)


def new_sequence_id(rng: random.Random) -> str | int:
    """Return an unused id, a string or an integer."""
    return uuid.uuid4().hex if rng.random() < 0.5 else rng.randrange(1, 2**62)


def end_without_start(place: Place, own: Clients, rng: random.Random) -> None:
    """End a sequence that was never started."""
    sequence = {"sequence_id": new_sequence_id(rng), "sequence_end": True}
    own.raw.infer("video_chunk", [_clip()], client_timeout=HANG_SECONDS, **sequence)


def never_ended(place: Place, own: Clients, rng: random.Random) -> None:
    """Start a sequence, and never end it."""
    sequence = {"sequence_id": new_sequence_id(rng), "sequence_start": True}
    own.raw.infer("video_chunk", [_clip()], client_timeout=HANG_SECONDS, **sequence)


def deadline(place: Place, own: Clients, rng: random.Random) -> None:
    """Request many frames with a deadline of milliseconds."""
    own.impatient.analyze(ServerPath("sample.mp4"), frames_per_chunk=64)


def cancelled(place: Place, own: Clients, rng: random.Random) -> None:
    """Cancel a request in flight."""
    answers: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    call = own.raw.async_infer(
        "video_analysis", [_clip()], lambda result, error: answers.put(error)
    )
    time.sleep(rng.uniform(0.0, 0.6))
    call.cancel()
    error = answers.get(timeout=HANG_SECONDS)
    if error is not None:
        raise error


def damaged(place: Place, own: Clients, rng: random.Random) -> None:
    """Send a damaged file; it is answered, or rejected in one line."""
    own.grpc.analyze(rng.choice(place.mutants), frames_per_chunk=4)


def abandoned_steps(place: Place, own: Clients, rng: random.Random) -> None:
    """Stop after some steps of a video: the client ends the sequence."""
    steps = own.grpc.step(ServerPath("sample.mp4"))
    try:
        for _ in range(rng.randrange(1, 3)):
            next(steps)
    finally:
        steps.close()


INVALID = frozenset({"INVALID_ARGUMENT"})
MISSING = frozenset({"NOT_FOUND"})
UNAVAILABLE = frozenset({"UNAVAILABLE"})
FAULTS = (
    Fault("no such file", _analysis(ServerPath("missing.mp4")), MISSING),
    Fault("no video", _analysis(ServerPath("text.mp4")), INVALID),
    Fault("empty file", _analysis(ServerPath("empty.mp4")), INVALID),
    Fault("truncated file", _analysis(ServerPath("truncated.mp4")), INVALID),
    Fault("sound alone", _analysis(ServerPath("audio.m4a")), INVALID),
    Fault("picture bomb", _analysis(ServerPath("bomb.png")), INVALID),
    Fault("animation bomb", _analysis(ServerPath("bomb.gif")), INVALID),
    Fault("largest picture", _analysis(ServerPath("largest.png")), frozenset({OK}), 0.3),
    Fault("outside the media folder", _analysis(ServerPath("../../etc/passwd")), INVALID),
    Fault("unknown scheme", _analysis("gopher://host/x"), frozenset({"UNIMPLEMENTED"})),
    Fault("damaged file", damaged, INVALID | MISSING | {OK}, 6.0),
    Fault("wrong tensor", wrong_tensor, INVALID, 4.0, is_sent_once=True),
    Fault("wrong embeddings", wrong_embeddings, INVALID, 2.0),
    Fault("END without START", end_without_start, INVALID),
    Fault("sequence never ended", never_ended, frozenset({OK}), 2.0),
    Fault("steps abandoned", abandoned_steps, frozenset({OK})),
    Fault("deadline exceeded", deadline, frozenset({"DEADLINE_EXCEEDED"}), 2.0, is_sent_once=True),
    Fault("cancelled", cancelled, frozenset({"CANCELLED", OK}), 3.0, is_sent_once=True),
    Fault("web: stalls", _analysis(_of_web("stalls"), once=True), UNAVAILABLE, 0.3),
    Fault("web: breaks off", _analysis(_of_web("breaks"), once=True), UNAVAILABLE, 0.5),
    Fault("web: denied", _analysis(_of_web("denied")), INVALID),
    Fault("web: redirected away", _analysis(_of_web("away")), INVALID),
    Fault("web: packed", _analysis(_of_web("packed")), frozenset({"UNIMPLEMENTED"})),
    Fault("web: gone", _analysis(_of_web("gone")), MISSING),
    Fault("S3: no such key", _analysis("s3://videos/no-such-key"), MISSING, needs_s3=True),
    *(Fault(name, run, frozenset({OK}), 1.5) for name, run in VANISHING.items()),
)


def choose(place: Place, rng: random.Random, *, with_unread: bool) -> Fault:
    """Return the next fault; `with_unread` includes streams that are not read."""
    possible = [
        fault
        for fault in FAULTS
        if (place.s3_uris or not fault.needs_s3) and (with_unread or fault.name != UNREAD)
    ]
    return rng.choices(possible, [fault.weight for fault in possible])[0]
