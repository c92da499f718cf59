# SPDX-License-Identifier: Apache-2.0
"""The reference's request and answer, as JSON."""

from pydantic import BaseModel


class AnalyzeRequest(BaseModel):
    """A video to be analysed."""

    stream_id: str
    video_path: str
    """s3://bucket/key, or a path on the server's machine."""
    num_frames: int = 16
    chunk_duration: float = 10.0
    with_embeddings: bool = False
    """Not of the reference: what the two systems are compared by, outside of measured requests."""


class Scored(BaseModel):
    """A text and its cosine."""

    text: str
    score: float


class SceneChange(BaseModel):
    """A frame that differs from those before it."""

    timestamp: float
    score: float
    chunk_index: int
    frame_index: int


class ChunkResult(BaseModel):
    """What is said of a chunk."""

    chunk_index: int
    start_time: float
    duration: float
    tags: list[Scored]
    retrieval_caption: Scored
    scene_changes: list[SceneChange]
    embedding: list[float] | None = None


class TimingResult(BaseModel):
    """Milliseconds of the stages."""

    s3_download_ms: float
    decode_video_ms: float
    encode_ms: float
    decode_ms: float
    total_ms: float


class AnalyzeResponse(BaseModel):
    """What is said of a video."""

    stream_id: str
    embedding_dim: int
    tags: list[Scored]
    retrieval_caption: Scored
    scene_changes: list[SceneChange]
    num_scene_changes: int
    chunks: list[ChunkResult]
    num_chunks: int
    video_duration: float
    timing_ms: TimingResult
