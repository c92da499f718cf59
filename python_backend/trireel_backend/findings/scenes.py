# SPDX-License-Identifier: Apache-2.0
"""Finding `scenes`: distance of each frame's embedding from a running average of earlier ones."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ViewSpec
from trireel_backend.wire.request import Request
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD, MAX_SCENE_SCORE
from trireel_schema.vectors import unit


@dataclass(frozen=True)
class SceneOptions:
    """Inputs of a request; None for the settings of the export."""

    threshold: float | None = None
    """Smallest scene score of a cut."""
    alpha: float | None = None
    """Weight of the newest frame in the running average."""

    def __post_init__(self) -> None:
        if self.threshold is not None and not 0.0 < self.threshold <= MAX_SCENE_SCORE:
            raise InvalidInput(
                f"SCENE_THRESHOLD is {self.threshold:g}: give a number above 0, up to"
                f" {MAX_SCENE_SCORE:g}"
            )
        if self.alpha is not None and not 0.0 <= self.alpha <= 1.0:
            raise InvalidInput(f"SCENE_ALPHA is {self.alpha:g}: give a number from 0 to 1")


@dataclass(frozen=True)
class RunningScene:
    """The scene that continues after a chunk."""

    average: NDArray[np.float32] | None = None
    """[D] running average of the scene's embeddings, None before the first frame."""
    chunks: int = 0
    """Number of chunks so far."""


class Scenes:
    """Finds the frames that begin a new scene."""

    name: ClassVar[str] = "scenes"

    def __init__(self, knowledge: Knowledge) -> None:
        self._threshold, self._alpha = knowledge.scene_threshold, knowledge.scene_alpha

    @staticmethod
    def options(request: Request) -> SceneOptions:
        """Read SCENE_THRESHOLD and SCENE_ALPHA; raises InvalidInput."""
        threshold = request.number("SCENE_THRESHOLD", float)
        return SceneOptions(threshold, request.number("SCENE_ALPHA", float))

    @staticmethod
    def view(_: object) -> ViewSpec | None:
        """Return None: the tower's frames suffice."""
        return None

    def start(self) -> RunningScene:
        """Return the state before the first frame."""
        return RunningScene()

    def step(
        self, state: RunningScene, chunk: ChunkFrames, options: SceneOptions
    ) -> tuple[RunningScene, dict[str, NDArray[np.generic]]]:
        """Find the cuts of a chunk."""
        scan = scan_scenes(
            chunk.embeddings,
            state.average,
            threshold=self._threshold if options.threshold is None else options.threshold,
            alpha=self._alpha if options.alpha is None else options.alpha,
        )
        return RunningScene(scan.average, state.chunks + 1), {
            "SCENE_TIMESTAMPS": chunk.timestamps_seconds[scan.cuts],
            "SCENE_SCORES": scan.scores[scan.cuts],
            "SCENE_CHUNK_INDICES": np.full(len(scan.cuts), state.chunks, np.int32),
            "SCENE_FRAME_INDICES": scan.cuts,
            "SCENE_TRACE": scan.scores,
        }


@dataclass(frozen=True)
class SceneScan:
    """Scores and cuts of a run of frames, and the running average after it."""

    scores: NDArray[np.float32]
    """[f] `max(0, 1 - frame . average)` of every frame; 0 for a video's first frame."""
    cuts: NDArray[np.int32]
    """[c] indices of the frames that begin a new scene."""
    average: NDArray[np.float32]
    """[D] running average after the last frame, unit length."""


def scan_scenes(
    embeddings: NDArray[np.float32],
    average: NDArray[np.float32] | None,
    *,
    threshold: float = DEFAULT_SCENE_THRESHOLD,
    alpha: float = DEFAULT_SCENE_ALPHA,
) -> SceneScan:
    """Score every frame against the exponential moving average of the scene it belongs to.

    A frame whose score reaches `threshold` is a cut, and the average restarts from that frame. So
    each cut is reported once; an average that continued would report it until it caught up.

    Args:
        embeddings: [f, D] unit length, f >= 1, in order of time.
        average: [D] the average so far, None at the start of a video.
        threshold: smallest score of a cut, in 0..2.
        alpha: weight of the newest frame, in 0..1: `average = unit((1 - alpha) average +
            alpha frame)`.
    """
    scores = np.zeros(len(embeddings), np.float32)
    cuts: list[int] = []
    for index, frame in enumerate(embeddings):
        if average is None:
            average = frame
            continue
        scores[index] = max(0.0, 1.0 - float(frame @ average))
        if scores[index] >= threshold:
            cuts.append(index)
            average = frame
        else:
            average = unit((1 - alpha) * average + alpha * frame)
    if average is None:
        raise ValueError("got no frames: a scan needs at least one embedding")
    return SceneScan(scores, np.array(cuts, np.int32), average.astype(np.float32))
