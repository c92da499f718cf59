# SPDX-License-Identifier: Apache-2.0
"""The scenes between transitions, each with the embedding and the frame that stand for it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.scenes.transitions import Transition
from trireel_schema.ranking import pool

MOST_CANDIDATES = 64
"""Frames kept to choose a scene's representative: of a longer scene every second, fourth, ..."""


@dataclass(frozen=True)
class SampledFrames:
    """Sampled frames in order of time."""

    seconds: NDArray[np.float64]
    """[f] PTS of the frames."""
    embeddings: NDArray[np.float32]
    """[f, D] embeddings of the frames, unit length."""

    def __post_init__(self) -> None:
        is_table = self.embeddings.ndim == 2 and self.seconds.shape == self.embeddings.shape[:1]
        if not is_table:  # a state from outside
            raise ValueError(
                f"frames at {self.seconds.shape} seconds have embeddings {self.embeddings.shape}"
            )

    def __len__(self) -> int:
        return len(self.seconds)

    def part(self, begin: int, end: int) -> "SampledFrames":
        """Return the frames of a range of indices, in memory of their own."""
        return SampledFrames(self.seconds[begin:end].copy(), self.embeddings[begin:end].copy())

    def where(self, mask: NDArray[np.bool_]) -> "SampledFrames":
        """Return the frames of a mask [f]."""
        return SampledFrames(self.seconds[mask], self.embeddings[mask])

    def every_other(self) -> "SampledFrames":
        """Return the first, third, fifth, ... frame."""
        return SampledFrames(self.seconds[::2].copy(), self.embeddings[::2].copy())

    def then(self, other: "SampledFrames") -> "SampledFrames":
        """Return these frames, followed by others."""
        return SampledFrames(
            np.concatenate([self.seconds, other.seconds]),
            np.concatenate([self.embeddings, other.embeddings]),
        )


@dataclass(frozen=True)
class CurrentScene:
    """The scene that has not ended yet."""

    start_seconds: float
    """Begin of the scene."""
    embedding_sum: NDArray[np.float64]
    """[D] sum of the embeddings of the scene's sampled frames."""
    frame_count: int
    """Number of sampled frames in the sum."""
    candidates: SampledFrames
    """Frames of which one will represent the scene."""
    stride: int = 1
    """Every how many frames one is a candidate."""

    def __post_init__(self) -> None:
        is_sum = self.embedding_sum.shape == self.candidates.embeddings.shape[1:]
        if not is_sum or self.stride < 1:  # a state from outside
            raise ValueError(
                f"a sum {self.embedding_sum.shape} of embeddings"
                f" {self.candidates.embeddings.shape}, every {self.stride} frames"
            )


@dataclass(frozen=True)
class Scene:
    """A scene that has ended."""

    start_seconds: float
    """Begin of the scene."""
    end_seconds: float
    """End of the scene, and begin of the next."""
    embedding: NDArray[np.float32]
    """[D] pooled embedding of the scene's sampled frames, unit length."""
    representative_seconds: float
    """PTS of the sampled frame that is most like the pooled embedding."""


def first_scene(start_seconds: float, width: int) -> CurrentScene:
    """Return a video's first scene, before its first frame.

    Args:
        start_seconds: begin of the video.
        width: D, the width of an embedding.
    """
    return _empty_scene(start_seconds, width)


def split_at(
    scene: CurrentScene,
    frames: SampledFrames,
    transitions: Sequence[Transition],
    nearest: SampledFrames,
) -> tuple[CurrentScene, list[Scene]]:
    """Return the scene that continues, and the scenes that end at the transitions.

    Args:
        frames: sampled frames since the last call; frames behind the last transition belong to the
            scene that continues.
        transitions: in order of time.
        nearest: [1] the last sampled frame before `frames`, or the first of them: it stands for a
            scene that ended between two sampled frames.
    """
    ended: list[Scene] = []
    begin = 0
    for transition in transitions:
        end = int(np.searchsorted(frames.seconds, transition.seconds))
        before = int(np.searchsorted(frames.seconds, transition.begin_seconds))
        scene = _extended(scene, frames.part(begin, max(begin, before)))
        if scene.frame_count == 0 and end > begin:  # all its frames lie within the transition
            scene = _extended(scene, frames.part(begin, end))
        if end > begin:
            nearest = frames.part(end - 1, end)
        ended.append(close(scene, transition.seconds, nearest))
        scene = _empty_scene(transition.seconds, len(scene.embedding_sum))
        begin = end
    return _extended(scene, frames.part(begin, len(frames))), ended


def close(scene: CurrentScene, end_seconds: float, nearest: SampledFrames) -> Scene:
    """Return a scene that ends.

    Args:
        nearest: [1] the frame that stands for the scene if no frame of it was sampled.
    """
    frames = scene.candidates
    if scene.frame_count == 0:
        frames = nearest
        embedding = nearest.embeddings[0]
    else:
        mean = (scene.embedding_sum / scene.frame_count).astype(np.float32)
        embedding = pool(mean[None])
    likeness = frames.embeddings @ embedding
    return Scene(
        scene.start_seconds, end_seconds, embedding, float(frames.seconds[np.argmax(likeness)])
    )


def _empty_scene(start_seconds: float, width: int) -> CurrentScene:
    frames = SampledFrames(np.zeros(0), np.zeros((0, width), np.float32))
    return CurrentScene(start_seconds, np.zeros(width), 0, frames)


def _extended(scene: CurrentScene, frames: SampledFrames) -> CurrentScene:
    """Return the scene with further frames; their division into calls makes no difference."""
    embedding_sum = scene.embedding_sum
    for embedding in frames.embeddings:  # in order, since the order of a sum changes its last bits
        embedding_sum = embedding_sum + embedding
    counts = scene.frame_count + np.arange(len(frames))
    added = frames.where(counts % scene.stride == 0)
    candidates, stride = scene.candidates, scene.stride
    if len(added):
        candidates = candidates.then(added)
    while len(candidates) > MOST_CANDIDATES:
        candidates, stride = candidates.every_other(), stride * 2
    count = scene.frame_count + len(frames)
    return CurrentScene(scene.start_seconds, embedding_sum, count, candidates, stride)
