# SPDX-License-Identifier: Apache-2.0
"""What `temporal_decoder` answers: a video's next chunk, with the state of its sequence."""

import json
import threading
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import METADATA_FILE, TEXT_BANK_FILE, load_metadata, load_text_bank
from trireel_backend.decoding import (
    ChunkFrames,
    DecodeOptions,
    Decoder,
    VideoState,
    check_unit_length,
    decode_options,
)
from trireel_backend.errors import InvalidInput
from trireel_backend.metrics import (
    CHUNKS,
    CUTS,
    LIVE_SEQUENCES,
    SEQUENCES_EXPIRED,
    SEQUENCES_LIMIT,
    VIDEO_SECONDS,
    Metrics,
    refusals_counted,
)
from trireel_backend.requests import Request
from trireel_backend.scoring import TextSet
from trireel_backend.sequences import SequenceStore
from trireel_backend.settings import sequence_idle_seconds
from trireel_backend.tensors import Tensors

FRAME_WEIGHT_SECONDS = 1.0  # of a frame whose chunk states no duration
STORE_MARGIN_SECONDS = 30.0  # Triton must be the first to call a sequence idle
SWEEP_SECONDS = 5.0  # between looks for idle videos


@dataclass(frozen=True)
class _Kept:
    """What is kept of a video between its requests."""

    state: VideoState = field(default_factory=VideoState)
    timestamps_seconds: NDArray[np.float64] | None = None
    """Of its last chunk, by which a chunk sent again is known."""


class SequenceDecoder:
    """A decoder and the state of every live video; used by one thread, swept by another."""

    def __init__(
        self, decoder: Decoder, defaults: DecodeOptions, idle_seconds: float, metrics: Metrics
    ) -> None:
        self._decoder = decoder
        self._defaults = defaults
        self._metrics = metrics
        self._lock = threading.Lock()
        self._kept = SequenceStore(
            _Kept,
            idle_seconds=idle_seconds + min(STORE_MARGIN_SECONDS, idle_seconds),
            expired=partial(metrics.add, SEQUENCES_EXPIRED),
        )

    @classmethod
    def load(cls, folder: Path, idle_seconds: float, metrics: Metrics) -> "SequenceDecoder":
        """Load the text bank and the checkpoint's own defaults from a model's folder."""
        metadata = load_metadata(folder / METADATA_FILE)
        bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
        defaults = DecodeOptions(
            scene_threshold=metadata.scene_threshold, scene_alpha=metadata.scene_alpha
        )
        return cls(Decoder(bank, metadata.calibration), defaults, idle_seconds, metrics)

    @classmethod
    def of_model(cls, folder: Path, model_config_json: str, metrics: Metrics) -> "SequenceDecoder":
        """Load what a model's folder holds, as long-lived and as many videos as its config says."""
        batching = json.loads(model_config_json)["sequence_batching"]
        metrics.set(SEQUENCES_LIMIT, int(batching["oldest"]["max_candidate_sequences"]))
        return cls.load(folder, sequence_idle_seconds(model_config_json), metrics)

    def answer(self, request: Request) -> dict[str, NDArray[Any]]:
        """Decode one chunk; raises InvalidInput and then leaves the video where it was."""
        with self._lock, refusals_counted(self._metrics):
            try:
                return self._answer(request)
            finally:
                self._metrics.set(LIVE_SEQUENCES, len(self._kept))

    def sweep(self) -> None:
        """Forget idle videos where no request does it on its way."""
        with self._lock:
            self._kept.forget_idle()
            self._metrics.set(LIVE_SEQUENCES, len(self._kept))

    def _answer(self, request: Request) -> dict[str, NDArray[Any]]:
        kept = self._kept.take(request.correlation_id, start=request.starts, end=request.ends)
        options = replace(decode_options(request, self._defaults), tags=_free_tags(request))
        chunk = _chunk_frames(request)
        state, answer = self._decoder.decode(kept.state, chunk, options)
        if not request.ends:
            self._kept.put(request.correlation_id, _Kept(state, chunk.timestamps_seconds))
        # A video given up is ended with its last chunk sent again.
        last = kept.timestamps_seconds
        again = last is not None and np.array_equal(last, chunk.timestamps_seconds)
        if not (request.ends and again):
            self._count(request, answer)
        return answer

    def _count(self, request: Request, answer: Tensors) -> None:
        self._metrics.add(CHUNKS)
        if cuts := len(answer["SCENE_TIMESTAMPS"]):
            self._metrics.add(CUTS, cuts)
        if (seconds := request.number("CHUNK_DURATION_SECONDS", float)) is not None:
            self._metrics.add(VIDEO_SECONDS, seconds)


def _chunk_frames(request: Request) -> ChunkFrames:
    embeddings = request.required("EMBEDDINGS")
    weight_seconds = request.number("CHUNK_DURATION_SECONDS", float)
    if weight_seconds is None:
        weight_seconds = FRAME_WEIGHT_SECONDS * len(embeddings)
    return ChunkFrames(embeddings, request.required("TIMESTAMPS"), weight_seconds)


def _free_tags(request: Request) -> TextSet | None:
    tags, embeddings = request.texts("TAGS"), request.array("TAG_EMBEDDINGS")
    if tags is None and embeddings is None:
        return None
    if tags is None or embeddings is None or not tags or len(tags) != len(embeddings):
        raise InvalidInput(
            f"got {0 if tags is None else len(tags)} TAGS and"
            f" {0 if embeddings is None else len(embeddings)} TAG_EMBEDDINGS: send both, one"
            " embedding (from siglip_text) a tag"
        )
    check_unit_length("TAG_EMBEDDINGS", embeddings)
    return TextSet(tags, embeddings)
