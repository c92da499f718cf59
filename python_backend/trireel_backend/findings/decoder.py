# SPDX-License-Identifier: Apache-2.0
"""From the frame embeddings of a video's next chunk to what can be said of chunk and video."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.scenes import SceneScan, scan_scenes
from trireel_backend.ranking import scoring
from trireel_backend.ranking.scoring import Ranking
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, scalar, texts
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD
from trireel_schema.texts import TextBank, TextSet
from trireel_schema.vectors import Calibration

DEFAULT_TOP_K = 5
MAX_TOP_K = 1000
UNIT_NORM_TOLERANCE = 0.01
MAX_WEIGHT_SECONDS = 1e6


@dataclass(frozen=True)
class DecodeOptions:
    """What a request may set; the same for every chunk of a video."""

    top_k: int = DEFAULT_TOP_K
    """Tags returned, fewer where fewer are known."""
    scene_threshold: float = DEFAULT_SCENE_THRESHOLD
    """Least scene score of a cut."""
    scene_alpha: float = DEFAULT_SCENE_ALPHA
    """Weight of the newest frame in the running average."""
    tags: TextSet | None = None
    """Tags to score instead of the bank's."""

    def __post_init__(self) -> None:
        if not 1 <= self.top_k <= MAX_TOP_K:
            raise InvalidInput(f"TOP_K is {self.top_k}: give a number from 1 to {MAX_TOP_K}")
        if not 0.0 < self.scene_threshold <= 2.0:
            raise InvalidInput(
                f"SCENE_THRESHOLD is {self.scene_threshold:g}: give a number above 0, up to 2"
            )
        if not 0.0 <= self.scene_alpha <= 1.0:
            raise InvalidInput(f"SCENE_ALPHA is {self.scene_alpha:g}: give a number from 0 to 1")


def decode_options(request: Request, defaults: DecodeOptions) -> DecodeOptions:
    """Read the options a request brings, without free tags; raises InvalidInput."""
    top_k = request.number("TOP_K", int)
    threshold = request.number("SCENE_THRESHOLD", float)
    alpha = request.number("SCENE_ALPHA", float)
    return DecodeOptions(
        top_k=defaults.top_k if top_k is None else top_k,
        scene_threshold=defaults.scene_threshold if threshold is None else threshold,
        scene_alpha=defaults.scene_alpha if alpha is None else alpha,
    )


@dataclass(frozen=True)
class VideoState:
    """What is remembered of a video between its chunks."""

    chunks: int = 0
    """Chunks decoded so far."""
    average: NDArray[np.float32] | None = None
    """[D] the running average of the scene that goes on."""
    weighted_sum: NDArray[np.float64] = field(default_factory=lambda: np.zeros(1))
    """[D] sum of the chunks' embeddings, each times its seconds."""
    weight_seconds: float = 0.0
    """Sum of those seconds."""
    caption: Ranking | None = None
    """Best description of any chunk so far."""


@dataclass(frozen=True)
class ChunkFrames:
    """The next chunk of a video, encoded."""

    embeddings: NDArray[np.float32]
    """[f, D] of its sampled frames, unit length, in order."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of those frames."""
    weight_seconds: float
    """Its weight in the mean over the video."""

    def __post_init__(self) -> None:
        frames = len(self.embeddings)
        if frames == 0 or self.timestamps_seconds.shape != (frames,):
            raise InvalidInput(
                f"got EMBEDDINGS of {frames} frames and TIMESTAMPS"
                f" {list(self.timestamps_seconds.shape)}: send one timestamp a frame, at least one"
            )
        check_unit_length("EMBEDDINGS", self.embeddings)
        if not np.isfinite(self.timestamps_seconds).all():
            raise InvalidInput("TIMESTAMPS hold a value that is no number: send seconds")
        if not 0 < self.weight_seconds <= MAX_WEIGHT_SECONDS:  # also false for NaN
            raise InvalidInput(
                f"CHUNK_DURATION_SECONDS is {self.weight_seconds:g}: give a number above 0, up to"
                f" {MAX_WEIGHT_SECONDS:g}"
            )


def check_unit_length(name: str, embeddings: NDArray[np.float32]) -> None:
    """Raise InvalidInput unless all rows [.., D] are of unit length."""
    norms = np.linalg.norm(embeddings, axis=1)
    if not np.allclose(norms, 1.0, atol=UNIT_NORM_TOLERANCE):  # also false for NaN
        raise InvalidInput(f"{name} are not of unit length: send what the towers answer")


@dataclass(frozen=True)
class Decoder:
    """What every chunk is compared with."""

    bank: TextBank
    calibration: Calibration

    def decode(
        self, state: VideoState, chunk: ChunkFrames, options: DecodeOptions
    ) -> tuple[VideoState, dict[str, NDArray[Any]]]:
        """Decode one chunk: the state behind it and the answer's tensors, see docs/tensors.md.

        The state given is not changed, so a request that fails leaves its video where it was.
        """
        self._check_width(chunk.embeddings, options.tags)
        scan = scan_scenes(
            chunk.embeddings,
            state.average,
            threshold=options.scene_threshold,
            alpha=options.scene_alpha,
        )
        pooled = scoring.pool(chunk.embeddings)
        tags = options.tags or self.bank.tags
        (caption,) = scoring.rank(self.bank.descriptions, pooled[None], 1, self.calibration)
        state = _advance(state, chunk, scan, pooled, caption)
        mean = (state.weighted_sum / state.weight_seconds).astype(np.float32)
        # Together: a large bank is read once.
        chunk_tags, video_tags = scoring.rank(
            tags, np.stack([pooled, mean]), options.top_k, self.calibration
        )
        index = state.chunks - 1
        return state, {
            "CHUNK_INDICES": scalar(index, np.int32),
            "CHUNK_EMBEDDINGS": pooled[None],
            **_as_rows(_tag_tensors("CHUNK_TAG", chunk_tags)),
            **_caption_tensors("CHUNK_CAPTION", "S", caption),
            **_scene_tensors(scan, chunk, index),
            **_tag_tensors("TAG", video_tags),
            **_caption_tensors("CAPTION", "", state.caption or caption),
        }

    def _check_width(self, embeddings: NDArray[np.float32], tags: TextSet | None) -> None:
        width = self.bank.tags.embeddings.shape[1]
        arrays = {"EMBEDDINGS": embeddings}
        if tags is not None:
            arrays["TAG_EMBEDDINGS"] = tags.embeddings
        for name, array in arrays.items():
            if array.shape[1] != width:
                raise InvalidInput(
                    f"{name} are {array.shape[1]} wide: this checkpoint's are {width}"
                )


def _advance(
    state: VideoState,
    chunk: ChunkFrames,
    scan: SceneScan,
    pooled: NDArray[np.float32],
    caption: Ranking,
) -> VideoState:
    better = state.caption is None or caption.scores[0] > state.caption.scores[0]
    return replace(
        state,
        chunks=state.chunks + 1,
        average=scan.average,
        weighted_sum=state.weighted_sum + pooled.astype(np.float64) * chunk.weight_seconds,
        weight_seconds=state.weight_seconds + chunk.weight_seconds,
        caption=caption if better else state.caption,
    )


def _scene_tensors(scan: SceneScan, chunk: ChunkFrames, index: int) -> Tensors:
    return {
        "SCENE_TIMESTAMPS": chunk.timestamps_seconds[scan.cuts],
        "SCENE_SCORES": scan.scores[scan.cuts],
        "SCENE_CHUNK_INDICES": np.full(len(scan.cuts), index, np.int32),
        "SCENE_FRAME_INDICES": scan.cuts,
        "SCENE_TRACE": scan.scores,
    }


def _tag_tensors(prefix: str, ranking: Ranking) -> Tensors:
    return {
        f"{prefix}_TEXTS": texts(ranking.texts),
        f"{prefix}_SCORES": ranking.scores,
        f"{prefix}_PROBABILITIES": ranking.probabilities,
    }


def _caption_tensors(prefix: str, plural: str, ranking: Ranking) -> Tensors:
    return {
        f"{prefix}_TEXT{plural}": texts(ranking.texts),
        f"{prefix}_SCORE{plural}": ranking.scores,
        f"{prefix}_PROBABILIT{'IES' if plural else 'Y'}": ranking.probabilities,
    }


def _as_rows(tensors: Tensors) -> Tensors:
    return {name: array[None] for name, array in tensors.items()}
