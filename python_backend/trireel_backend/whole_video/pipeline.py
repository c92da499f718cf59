# SPDX-License-Identifier: Apache-2.0
"""What one whole video is put through: the request, the plan, and the models as an interface."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_backend.plan import Chunk
from trireel_backend.whole_video.lookahead import EncodedChunk, EncodedSpan
from trireel_backend.wire.tensors import Tensors
from trireel_backend.wire.turn import Turn


@dataclass(frozen=True)
class VideoPlan:
    """What is known of a video before its first frame."""

    chunks: tuple[Chunk, ...]
    facts: Tensors = field(default_factory=dict)
    """What every answer says of the video: its start, length, streams."""
    waited_ns: int = 0
    """How long the look at the video waited for an extractor."""


@dataclass(frozen=True)
class AnalysisRequest:
    """One whole video and what is asked of it."""

    video: str
    """Local path, already allowed."""
    chunk_seconds: float
    most_chunks: int = 1
    """Chunks whose frames fit into one request of the encoder."""
    sampling: Tensors = field(default_factory=dict)
    """Inputs of the extractor that the request sets, the same for every chunk."""
    options: Tensors = field(default_factory=dict)
    """Inputs of the decoder that the request sets, the same for every chunk."""
    tags: tuple[str, ...] = ()
    """Free texts scored instead of the bank's tags; none for the bank's."""
    with_embeddings: bool = False
    with_second_views: bool = False
    """True if a finding wants frames beside those of the tower."""
    fetch_ms: float = 0.0
    """What it took to have the video as a local file."""


class Stages(Protocol):
    """The models one whole video is put through."""

    async def plan(self, request: AnalysisRequest) -> VideoPlan:
        """Look at the video and plan its chunks."""

    async def encode(
        self, request: AnalysisRequest, chunks: Sequence[Chunk], *, keep_open: bool
    ) -> EncodedSpan:
        """Extract and encode some neighbouring chunks; any number of spans may be under way.

        Args:
            keep_open: another span will go on where this one ends.
        """

    async def decode(
        self, turn: Turn, chunk: Chunk, encoded: EncodedChunk, options: Tensors
    ) -> dict[str, NDArray[Any]]:
        """Decode a video's next chunk."""

    async def keep(self, turn: Turn, encoded: EncodedChunk) -> None:
        """Let the decoder keep a video's sequence; `encoded` is any of its chunks."""

    async def embed_texts(self, values: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings [m, D] of free texts."""
