# SPDX-License-Identifier: Apache-2.0
"""The analysis of one whole video: its request, its plan, and the interface to the models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.whole_video.budget import CostLimits
from trireel_backend.whole_video.lookahead import EncodedChunk, EncodedSpan
from trireel_backend.wire.tensors import Tensors
from trireel_backend.wire.turn import Turn


@dataclass(frozen=True)
class VideoPlan:
    """Facts about a video that are known before its first frame is decoded."""

    chunks: tuple[Chunk, ...]
    facts: Tensors = field(default_factory=dict)
    """Tensors about the video that every answer repeats: its start, length, streams."""
    waited_ns: int = 0
    """Time that the probe of the video waited for an extractor, in nanoseconds."""


@dataclass(frozen=True)
class AnalysisRequest:
    """One whole video, and the options of its analysis."""

    video: str
    """Local path of the video, already checked against the media folders."""
    chunk_seconds: float
    """Length of a chunk in seconds."""
    frames_per_chunk: int = 0
    """Number of frames of a chunk for the tower."""
    limits: CostLimits = field(default_factory=CostLimits)
    """Limits on the cost of the analysis."""
    most_chunks: int = 1
    """Most chunks whose frames fit into one request of the encoder."""
    sampling: Tensors = field(default_factory=dict)
    """Inputs of the extractor that the request sets, the same for every chunk."""
    options: Tensors = field(default_factory=dict)
    """Inputs of the decoder that the request sets, the same for every chunk."""
    free_texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Texts that stand in for the bank's, by the names of their inputs: TAGS, DESCRIPTIONS."""
    with_embeddings: bool = False
    """True if the answers contain the frames' embeddings."""
    with_second_views: bool = False
    """True if a finding needs frames beside those of the tower."""
    fetch_ms: float = 0.0
    """Time in milliseconds to fetch the video to a local file."""


class Stages(Protocol):
    """Calls of the models that analyse one whole video."""

    async def plan(self, request: AnalysisRequest) -> VideoPlan:
        """Probe the video and plan its chunks."""

    async def encode(
        self, request: AnalysisRequest, chunks: Sequence[Chunk], *, keep_open: bool
    ) -> EncodedSpan:
        """Extract and encode some neighbouring chunks; any number of spans may be in flight.

        Args:
            keep_open: True if another span will continue at the end of this one.
        """

    async def decode(
        self, turn: Turn, chunk: Chunk, encoded: EncodedChunk, options: Tensors
    ) -> dict[str, NDArray[Any]]:
        """Decode a video's next chunk."""

    async def keep(self, turn: Turn, encoded: EncodedChunk) -> None:
        """Keep a video's sequence alive, or end it, without a chunk.

        Args:
            encoded: any chunk of the video; the model needs all its inputs.
        """

    async def embed_texts(self, values: Sequence[str], *, are_tags: bool) -> NDArray[np.float32]:
        """Return the embeddings [m, D] of free texts."""
