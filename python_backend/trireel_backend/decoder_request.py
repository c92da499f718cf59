# SPDX-License-Identifier: Apache-2.0
"""What `temporal_decoder` answers: a video's next chunk, with the state of its sequence."""

from dataclasses import replace
from pathlib import Path
from typing import Any

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
from trireel_backend.requests import Request
from trireel_backend.scoring import TextSet
from trireel_backend.sequences import SequenceStore

FRAME_WEIGHT_SECONDS = 1.0  # of a frame whose chunk states no duration
STORE_MARGIN_SECONDS = 30.0  # Triton must be the first to call a sequence idle


class SequenceDecoder:
    """A decoder and the state of every live video."""

    def __init__(self, decoder: Decoder, defaults: DecodeOptions, idle_seconds: float) -> None:
        self._decoder = decoder
        self._defaults = defaults
        self._states = SequenceStore(VideoState, idle_seconds=idle_seconds + STORE_MARGIN_SECONDS)

    @classmethod
    def load(cls, folder: Path, idle_seconds: float) -> "SequenceDecoder":
        """Load the text bank and the checkpoint's own defaults from a model's folder."""
        metadata = load_metadata(folder / METADATA_FILE)
        bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
        defaults = DecodeOptions(
            scene_threshold=metadata.scene_threshold, scene_alpha=metadata.scene_alpha
        )
        return cls(Decoder(bank, metadata.calibration), defaults, idle_seconds)

    def answer(self, request: Request) -> dict[str, NDArray[Any]]:
        """Decode one chunk; raises InvalidInput and then leaves the video where it was."""
        state = self._states.take(request.correlation_id, start=request.starts, end=request.ends)
        options = replace(decode_options(request, self._defaults), tags=_free_tags(request))
        state, answer = self._decoder.decode(state, _chunk_frames(request), options)
        if not request.ends:
            self._states.put(request.correlation_id, state)
        return answer


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
