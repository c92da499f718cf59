# SPDX-License-Identifier: Apache-2.0
"""The record of one video: what the library keeps. Times are seconds on the video's own clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from trireel_client import Caption, ServerDetails, Tag


@dataclass(frozen=True)
class Checkpoint:
    """The checkpoint that made embeddings; only embeddings of one checkpoint can be compared."""

    name: str
    """Name of the checkpoint."""
    weights_sha256: str
    """Hash of the checkpoint's weights."""
    embedding_dim: int
    """Width of the checkpoint's embeddings."""

    @classmethod
    def of(cls, details: ServerDetails) -> Self:
        """Return the checkpoint of a server."""
        return cls(details.checkpoint, details.weights_sha256, details.embedding_dim)


@dataclass(frozen=True)
class Frames:
    """The sampled frames of a video, in order."""

    timestamps_seconds: NDArray[np.float64]
    """[n] PTS of the frames."""
    pts: NDArray[np.int64]
    """[n] PTS of the frames in units of the video's time base: the exact times."""
    chunk_indices: NDArray[np.int32]
    """[n] index of the chunk of each frame."""
    scene_indices: NDArray[np.int32]
    """[n] index of the scene of each frame; -1 if scenes were not requested."""
    embeddings: NDArray[np.float32] = field(repr=False)
    """[n, D] embeddings of the frames, unit length."""


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """A chunk of a video."""

    start_seconds: float
    """PTS at which the stretch begins."""
    end_seconds: float
    """PTS at which the stretch ends."""
    tags: tuple[Tag, ...] = ()
    """Best tags, best first; empty if tags were not requested."""
    caption: Caption | None = None
    """Best caption; None if it was not requested."""
    embedding: NDArray[np.float32] = field(repr=False, compare=False)
    """[D] pooled embedding of the frames, unit length: the one that tags are scored against."""


@dataclass(frozen=True, kw_only=True)
class Scene(Stretch):
    """A scene of a video."""

    representative_seconds: float
    """PTS of the frame that stands for the scene."""
    thumbnail: bytes | None = field(default=None, repr=False)
    """That frame as JPEG; None if there is no picture of it."""


@dataclass(frozen=True, kw_only=True)
class Label:
    """Something from one time to another: an object, text on the screen, or a description."""

    kind: str
    """`object`, `text` or `description`."""
    text: str
    """Label of the object, the text that is on the screen, or the description."""
    start_seconds: float
    """PTS of the first frame that shows it; of a description, begin of its scene."""
    end_seconds: float
    """PTS of the last frame that shows it; of a description, end of its scene."""
    score: float
    """Confidence, 0 to 1: of an object the highest of its label in the video; of a description
    1, as it has none."""


@dataclass(frozen=True, kw_only=True)
class VideoRecord:
    """The results of one video."""

    video_id: str
    """Id of the video in the library."""
    uri: str
    """Address of the video, without credentials."""
    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """Length of the video."""
    checkpoint: Checkpoint
    """Checkpoint that made the embeddings."""
    frames: Frames
    """Sampled frames with their embeddings."""
    chunks: tuple[Stretch, ...]
    """Chunks, in order."""
    scenes: tuple[Scene, ...] = ()
    """Scenes, in order; empty if scenes were not requested."""
    labels: tuple[Label, ...] = ()
    """Objects and texts on the screen, as far as they were requested."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """Further facts about how the results were made, as plain values for JSON."""
    answer: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Whole answer of the server as plain values for JSON, without embeddings."""
