# SPDX-License-Identifier: Apache-2.0
"""The results of an analysis. Times are seconds on the video's own clock, its frames' PTS."""

from dataclasses import dataclass, field, fields
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trireel_client._findings import (
    Caption,
    ChunkQuality,
    Objects,
    Quality,
    SceneChange,
    SceneDescription,
    SceneSignals,
    ScreenCaption,
    Shot,
    Tag,
)
from trireel_client._json import plain
from trireel_client._r0 import in_r0_names
from trireel_client._servers import ServerInfo

SCHEMA_VERSION = 1
"""Version of the answer's JSON; a field that changes its meaning or goes raises it."""
JsonNames = Literal["trireel", "r0"]
EMBEDDINGS = ("embedding", "frame_embeddings")


@dataclass(frozen=True, kw_only=True)
class VideoSoFar:
    """The findings of a video from its start to the end of one chunk."""

    tags: tuple[Tag, ...] = ()
    """Best tags over all chunks so far, best first; empty if tags were not requested."""
    caption: Caption | None = None
    """Best caption of any chunk so far; None if it was not requested."""
    quality: Quality | None = None
    """Black and frozen stretches so far; None if quality was not requested."""
    descriptions: tuple[SceneDescription, ...] = ()
    """Descriptions of the scenes so far; empty if `description` was not requested."""
    summary: str = ""
    """Summary of the video; empty before its end, or if `description` was not requested."""


@dataclass(frozen=True, kw_only=True)
class ChunkAnalysis:
    """A stretch of the video."""

    index: int
    """Position of the chunk in the video's plan, from 0."""
    start_seconds: float
    """PTS at which the chunk begins."""
    duration_seconds: float
    """Length of the chunk."""
    tags: tuple[Tag, ...] = ()
    """Best tags of the chunk, best first; empty if tags were not requested."""
    caption: Caption | None = None
    """Best caption of the chunk; None if it was not requested."""
    scene_changes: tuple[SceneChange, ...] = ()
    """Scene changes in the chunk, in order; empty if scenes were not requested.

    If chunks come one by one: the scene changes that this answer reports. The server may report a
    scene change at a chunk's end with the next chunk, because it needs the frames behind it.
    """
    quality: ChunkQuality | None = None
    """Quality of the chunk's picture; None if it was not requested."""
    frame_timestamps_seconds: tuple[float, ...]
    """PTS of each sampled frame."""
    frame_pts: tuple[int, ...]
    """PTS of each sampled frame, in units of `time_base`: the exact times."""
    time_base: Fraction
    """The stream's unit of time in seconds."""
    scene_trace: tuple[float, ...] = ()
    """Scene score of each sampled frame; empty if scenes were not requested."""
    damaged_packets: int
    """Packets on the way to the chunk's frames that could not be decoded and were skipped."""
    num_chunks: int
    """Chunks planned for the whole video."""
    embedding: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    """[D] mean of the frames' embeddings, unit length; None if it was not requested."""
    frame_embeddings: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)
    """[f, D] embeddings of the sampled frames, unit length; None if they were not requested."""
    shots: tuple[Shot, ...] = ()
    """Scenes that this answer reports if chunks come one by one; otherwise `Analysis` has them."""
    objects: Objects | None = None
    """Objects that this answer reports if chunks come one by one; None if not requested."""
    scene_signals: SceneSignals | None = None
    """Signals that this answer reports if chunks come one by one; None if not requested."""
    captions: tuple[ScreenCaption, ...] = ()
    """Captions in the picture that this answer reports if chunks come one by one."""
    video_so_far: VideoSoFar | None = None
    """Findings up to the end of this chunk if chunks come one by one; otherwise None."""
    state: bytes | None = field(default=None, repr=False, compare=False)
    """State of the video after this chunk, with which `step` goes on; None if it was not kept."""

    @property
    def end_seconds(self) -> float:
        """PTS at which the chunk ends."""
        return self.start_seconds + self.duration_seconds

    @property
    def is_last(self) -> bool:
        """True if no chunk follows: `video_so_far` then covers the whole video."""
        return self.index == self.num_chunks - 1


@dataclass(frozen=True)
class Timing:
    """Milliseconds the server was busy with a video; stages overlap, so they exceed the total."""

    fetch_ms: float
    """Time for fetching the video to a local file of the server."""
    extract_ms: float
    """Time for decoding and scaling frames."""
    encode_ms: float
    """Time of the vision tower, its queue included."""
    decode_ms: float
    """Time for tags, captions and cuts from embeddings."""
    total_ms: float
    """Wall time of the whole request."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of one scene."""

    timestamp_seconds: float
    """PTS of the frame."""
    pixels: NDArray[np.uint8] = field(repr=False, compare=False)
    """[S, S, 3] RGB: the upright picture, squashed to a square."""
    picture_size_px: tuple[int, int] | None
    """Width and height of the picture before it was squashed; None from older servers."""


@dataclass(frozen=True, kw_only=True)
class Analysis:
    """A whole video."""

    stream_id: str
    """The caller's name for the video; also the request's id in the server's log."""
    start_seconds: float
    """PTS of the video's first frame."""
    duration_seconds: float
    """Length of the video."""
    time_base: Fraction
    """The stream's unit of time in seconds, that of the chunks' `frame_pts`."""
    stream_index: int
    """Index in the file of the video stream that was analysed."""
    video_stream_indices: tuple[int, ...]
    """Indices of all video streams of the file."""
    frame_rate: Fraction | None = None
    """Frames per second, on average if `is_vfr`; None for pictures and from older servers."""
    is_vfr: bool = False
    """True if the frame rate is variable."""
    picture_size_px: tuple[int, int] | None = None
    """Width and height of the upright picture in square pixels; None from older servers."""
    decoder: str
    """FFmpeg's name of the decoder, with ` (cuda)` if it ran on a GPU."""
    tags: tuple[Tag, ...] = ()
    """Best tags by their mean score over all chunks, weighted by duration, best first."""
    caption: Caption | None = None
    """Best caption of any chunk; None if it was not requested."""
    scene_changes: tuple[SceneChange, ...] = ()
    """All scene changes, in order; empty if scenes were not requested."""
    shots: tuple[Shot, ...] = ()
    """All scenes, in order; empty if scenes were not requested, or from older servers."""
    scene_mode: str = ""
    """Way in which the server found scenes: `sampled`, `refined`, `exact`; empty if unknown."""
    scene_signals: SceneSignals | None = None
    """Signals of single frames; None if `with_scene_trace` was not set."""
    captions: tuple[ScreenCaption, ...] = ()
    """Captions in the picture; empty if there are none, or `text` was not requested."""
    quality: Quality | None = None
    """Black and frozen stretches; None if quality was not requested."""
    descriptions: tuple[SceneDescription, ...] = ()
    """Descriptions of the scenes, in order; empty if `description` was not requested."""
    summary: str = ""
    """Summary of the video; empty if `description` was not requested."""
    objects: Objects | None = None
    """Detections, tracks and labels on screen; None if objects were not requested."""
    chunks: tuple[ChunkAnalysis, ...]
    """The video's chunks, in order."""
    timing: Timing
    """Time that the server spent in each stage."""
    embedding_dim: int
    """Width of the checkpoint's embeddings."""
    server: ServerInfo
    """The server that answered."""
    checkpoint: str = ""
    """Name of the checkpoint that answered; empty from older servers."""
    checkpoint_note: str = ""
    """Sentence that people should read beside the answers of the checkpoint; may be empty."""
    client_ms: float
    """Milliseconds from sending the request to having the answer, measured by the client."""
    is_complete: bool = True
    """False if the file was cut off: the analysis then covers the part that is there."""

    @property
    def num_chunks(self) -> int:
        """Number of chunks."""
        return len(self.chunks)

    @property
    def damaged_packets(self) -> int:
        """Packets on the way to all sampled frames that could not be decoded."""
        return sum(chunk.damaged_packets for chunk in self.chunks)

    def to_json_dict(self, names: JsonNames = "trireel") -> dict[str, Any]:
        """Return the answer as plain values for `json.dumps`; embeddings only if requested.

        docs/answer.schema.json describes it: the names are those of the fields of this record.

        Args:
            names: "r0" for the names of the pipeline that Trireel replaces.
        """
        answer = {
            "schema_version": SCHEMA_VERSION,
            **plain(self),
            "num_chunks": self.num_chunks,
            "num_scene_changes": len(self.scene_changes),
            "damaged_packets": self.damaged_packets,
            "chunks": [_chunk_to_json(chunk) for chunk in self.chunks],
            "server": {"name": self.server.name, "version": self.server.version},
        }
        return in_r0_names(answer) if names == "r0" else answer


def _chunk_to_json(chunk: ChunkAnalysis) -> dict[str, Any]:
    """Return one chunk's part of the answer: without fields that are for chunks one by one."""
    left_out = {"num_chunks", "time_base", "video_so_far", "state"}
    left_out |= {"shots", "scene_signals", "objects"}
    left_out |= {name for name in EMBEDDINGS if getattr(chunk, name) is None}
    left_out.add("captions")
    return {
        field.name: plain(getattr(chunk, field.name))
        for field in fields(chunk)
        if field.name not in left_out
    }
