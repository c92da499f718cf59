# SPDX-License-Identifier: Apache-2.0
"""An analysis as JSON: the field names of the pipeline this one replaces, and what is added."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_client._results import Analysis, Caption, ChunkAnalysis, SceneChange, Tag, Timing


def analysis_to_json(analysis: Analysis) -> dict[str, Any]:
    """Return a whole video's answer."""
    return {
        "stream_id": analysis.stream_id,
        "embedding_dim": analysis.embedding_dim,
        "tags": [text_to_json(tag) for tag in analysis.tags],
        "retrieval_caption": text_to_json(analysis.caption),
        "scene_changes": [_cut(cut) for cut in analysis.scene_changes],
        "num_scene_changes": len(analysis.scene_changes),
        "chunks": [chunk_to_json(chunk) for chunk in analysis.chunks],
        "num_chunks": analysis.num_chunks,
        "video_start": analysis.start_seconds,
        "video_duration": analysis.duration_seconds,
        "time_base": list(analysis.time_base.as_integer_ratio()),
        "stream_index": analysis.stream_index,
        "video_stream_indices": list(analysis.video_stream_indices),
        "decoder": analysis.decoder,
        "is_complete": analysis.is_complete,
        "damaged_packets": analysis.damaged_packets,
        "timing_ms": _timing(analysis.timing),
        "server": {"name": analysis.server.name, "version": analysis.server.version},
        "client_ms": analysis.client_ms,
    }


def chunk_to_json(chunk: ChunkAnalysis) -> dict[str, Any]:
    """Return one chunk's part of the answer."""
    answer = {
        "chunk_index": chunk.index,
        "start_time": chunk.start_seconds,
        "duration": chunk.duration_seconds,
        "tags": [text_to_json(tag) for tag in chunk.tags],
        "retrieval_caption": text_to_json(chunk.caption),
        "scene_changes": [_cut(cut) for cut in chunk.scene_changes],
        "frame_timestamps": list(chunk.frame_timestamps_seconds),
        "frame_pts": list(chunk.frame_pts),
        "scene_trace": list(chunk.scene_trace),
        "damaged_packets": chunk.damaged_packets,
    }
    if chunk.embedding is not None:
        answer["embedding"] = _shortest(chunk.embedding)
    if chunk.frame_embeddings is not None:
        answer["frame_embeddings"] = [_shortest(row) for row in chunk.frame_embeddings]
    return answer


def text_to_json(text: Tag | Caption) -> dict[str, Any]:
    """Return a scored text's part of the answer."""
    return {"text": text.text, "score": text.score, "probability": text.probability}


def _cut(cut: SceneChange) -> dict[str, Any]:
    return {
        "timestamp": cut.timestamp_seconds,
        "score": cut.score,
        "chunk_index": cut.chunk_index,
        "frame_index": cut.frame_index,
    }


def _timing(timing: Timing) -> dict[str, float]:
    return {
        "s3_download": timing.fetch_ms,
        "decode_video": timing.extract_ms,
        "encode": timing.encode_ms,
        "decode": timing.decode_ms,
        "total": timing.total_ms,
    }


def _shortest(row: NDArray[np.float32]) -> list[float]:
    """Return the shortest decimals that read back as the same float32s."""
    return [float(str(value)) for value in row]
