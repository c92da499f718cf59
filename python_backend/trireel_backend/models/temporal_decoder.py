# SPDX-License-Identifier: Apache-2.0
"""Answers of `temporal_decoder`: a video's next chunk, with the state of its sequence."""

import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import Full, InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.decoder import Decoder, VideoState, read_options
from trireel_backend.findings.finding import Knowledge
from trireel_backend.findings.scene_settings import SceneSettings
from trireel_backend.findings.sequences import SequenceStore
from trireel_backend.metrics.family import Family, Kind, Metrics
from trireel_backend.metrics.refusals import REFUSALS, refusals_counted
from trireel_backend.ranking.large_banks import CodedTexts
from trireel_backend.wire.parameters import (
    at_least_one,
    model_parameters,
    read_settings,
    sequence_idle_seconds,
)
from trireel_backend.wire.request import KEEP_SEQUENCE, Request
from trireel_backend.wire.tensors import NUMPY_TYPES, Tensors
from trireel_backend.wire.views import unpack_views
from trireel_schema.catalogue import FINDINGS, TENSORS, VIEW_TENSORS
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.texts import TextBank

FRAME_WEIGHT_SECONDS = 1.0  # of a frame, if its chunk states no duration
STORE_MARGIN_SECONDS = 30.0  # Triton must be the first to call a sequence idle
SWEEP_SECONDS = 5.0  # between sweeps for idle videos
SEQUENCE_HINT_SECONDS = 5  # a guess: clients end their videos when they like


CHUNKS = Family("trireel_chunks_total", "Chunks decoded.")
CUTS = Family("trireel_cuts_total", "Scene changes found.")
VIDEO_SECONDS = Family("trireel_video_seconds_total", "Length of the decoded chunks, as stated.")
LIVE_SEQUENCES = Family(
    "trireel_live_sequences", "Videos whose state is kept for their next chunk.", Kind.GAUGE
)
SEQUENCES_LIMIT = Family(
    "trireel_live_sequences_limit", "Sequences that clients may have open at once.", Kind.GAUGE
)
SEQUENCES_EXPIRED = Family(
    "trireel_sequences_expired_total", "Sequences dropped because no request came for too long."
)
DECODER_FAMILIES = (
    REFUSALS,
    CHUNKS,
    CUTS,
    VIDEO_SECONDS,
    LIVE_SEQUENCES,
    SEQUENCES_LIMIT,
    SEQUENCES_EXPIRED,
)


@dataclass(frozen=True)
class SequenceSettings:
    """Limit of the videos whose state a decoder keeps."""

    max_sequences: int = 256
    """Most sequences of clients open in one instance; a further sequence is rejected at its START.
    Sequences of whole videos do not count: the slots for whole videos limit them."""

    def checked_limit(self) -> int:
        """Return the most sequences that clients may have open; raises StartupError if below 1."""
        return at_least_one("max_sequences", self.max_sequences)


@dataclass(frozen=True)
class _Sequence:
    """State of a sequence between its requests."""

    state: VideoState = field(default_factory=VideoState)
    timestamps_seconds: NDArray[np.float64] | None = None
    """[f] PTS of the last chunk's frames, to recognise a chunk that is sent again."""


class SequenceDecoder:
    """A decoder and the state of every live video; used by one thread, swept by another."""

    def __init__(
        self,
        decoder: Decoder,
        metrics: Metrics,
        *,
        idle_seconds: float,
        max_sequences: int,
    ) -> None:
        """Keep no state yet.

        Args:
            decoder: what decodes.
            metrics: counts chunks and sequences.
            idle_seconds: time after which Triton drops a sequence without requests.
            max_sequences: most sequences of clients that may be open.
        """
        self._decoder = decoder
        self._metrics = metrics
        self._lock = threading.Lock()
        self._max_sequences = max_sequences
        metrics.set(SEQUENCES_LIMIT, max_sequences)
        self._of_clients, self._of_videos = (
            SequenceStore(
                _Sequence,
                idle_seconds=idle_seconds + min(STORE_MARGIN_SECONDS, idle_seconds),
                expired=partial(metrics.add, SEQUENCES_EXPIRED),
            )
            for _ in range(2)
        )

    @classmethod
    def of_model(cls, folder: Path, model_config_json: str, metrics: Metrics) -> "SequenceDecoder":
        """Load the export from a model's folder; timeout and limit come from the model's config.

        Raises:
            StartupError: if a file of the export or a parameter is missing or wrong.
        """
        metadata = load_metadata(folder / METADATA_FILE)
        loaded = load_text_bank(folder / TEXT_BANK_FILE, metadata)
        bank = TextBank(CodedTexts.of(loaded.tags), CodedTexts.of(loaded.descriptions))
        parameters = model_parameters(model_config_json)
        settings = read_settings(SequenceSettings, parameters)
        scenes = read_settings(SceneSettings, parameters).over(metadata)
        return cls(
            Decoder(Knowledge(bank, metadata.calibration, *scenes)),
            metrics,
            idle_seconds=sequence_idle_seconds(model_config_json),
            max_sequences=settings.checked_limit(),
        )

    def answer(self, request: Request) -> dict[str, NDArray[Any]]:
        """Decode one chunk; a request that only keeps its sequence alive gets an empty answer.

        Raises:
            InvalidInput: if the request is wrong; the state of the video does not change.
            Full: if a client's sequence would begin, and the most allowed are open.
        """
        with self._lock, refusals_counted(self._metrics):
            try:
                return self._answer(request)
            finally:
                self._count_live()

    def sweep(self) -> None:
        """Drop idle videos; needed while no requests arrive."""
        with self._lock:
            for store in (self._of_clients, self._of_videos):
                store.forget_idle()
            self._count_live()

    def _answer(self, request: Request) -> dict[str, NDArray[Any]]:
        if KEEP_SEQUENCE in request.parameters and (request.starts or request.ends):
            raise InvalidInput(f"got {KEEP_SEQUENCE} with START or END: send it between them")
        self._check_room(request)
        store = self._of_videos if request.is_inner else self._of_clients
        sequence = store.take(request.correlation_id, start=request.starts, end=request.ends)
        if KEEP_SEQUENCE in request.parameters:
            store.put(request.correlation_id, sequence)
            return {}
        chunk = _chunk_frames(request)
        state, answer = self._decoder.decode(sequence.state, chunk, read_options(request))
        if not request.ends:
            # A copy: the request's own array is in memory shared with Triton.
            last = chunk.timestamps_seconds.copy()
            store.put(request.correlation_id, _Sequence(state, last))
        # An abandoned video ends with its last chunk, sent a second time.
        before = sequence.timestamps_seconds
        is_repeated = before is not None and np.array_equal(before, chunk.timestamps_seconds)
        if not (request.ends and is_repeated):
            self._count(request, answer)
        return {**_empty_outputs(request, answer), **answer}

    def _check_room(self, request: Request) -> None:
        store = self._of_clients
        begins = request.starts and not request.ends and request.correlation_id not in store
        if not begins or request.is_inner or len(store) < self._max_sequences:
            return
        store.forget_idle()
        if len(store) >= self._max_sequences:
            raise Full(
                f"the server is full: {len(store)} sequences are open in it, the most allowed:"
                f" ask again in about {SEQUENCE_HINT_SECONDS} s, or ask another server"
            )

    def _count_live(self) -> None:
        self._metrics.set(LIVE_SEQUENCES, len(self._of_clients) + len(self._of_videos))

    def _count(self, request: Request, answer: Tensors) -> None:
        self._metrics.add(CHUNKS)
        if cuts := len(answer.get("SCENE_TIMESTAMPS", ())):
            self._metrics.add(CUTS, cuts)
        if (seconds := request.number("CHUNK_DURATION_SECONDS", float)) is not None:
            self._metrics.add(VIDEO_SECONDS, seconds)


def _empty_outputs(request: Request, answer: Tensors) -> Tensors:
    """Return empty outputs for findings that FIND does not name: an ensemble needs all its outputs.

    All their dimensions are 0.
    """
    outputs = (output for finding in FINDINGS.values() for output in finding.outputs)
    missing = request.requested_outputs.intersection(outputs) - answer.keys()
    return {
        name: np.zeros((0,) * len(TENSORS[name].shape), NUMPY_TYPES[TENSORS[name].dtype])
        for name in missing
    }


def _chunk_frames(request: Request) -> ChunkFrames:
    embeddings = request.required("EMBEDDINGS")
    weight_seconds = request.number("CHUNK_DURATION_SECONDS", float)
    if weight_seconds is None:
        weight_seconds = FRAME_WEIGHT_SECONDS * len(embeddings)
    times = request.required("TIMESTAMPS")
    packed = {name: request.array(name) for name in VIEW_TENSORS}
    arrays = {name: array for name, array in packed.items() if array is not None}
    if not arrays:
        return ChunkFrames(embeddings, times, weight_seconds)
    if len(arrays) < len(packed):
        raise InvalidInput(f"got {', '.join(arrays)} alone: send all of {', '.join(VIEW_TENSORS)}")
    return ChunkFrames(embeddings, times, weight_seconds, unpack_views(arrays))
