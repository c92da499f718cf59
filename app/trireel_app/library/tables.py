# SPDX-License-Identifier: Apache-2.0
"""The record of a video as Parquet files, and back."""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from trireel_app.errors import LibraryError
from trireel_app.library.records import Frames, Label, Scene, Stretch
from trireel_client import Caption, Tag

TEXT = pa.struct([("text", pa.string()), ("score", pa.float64()), ("probability", pa.float64())])
LABELS = pa.schema(
    [
        ("video_id", pa.string()),
        ("kind", pa.string()),
        ("text", pa.string()),
        ("start_seconds", pa.float64()),
        ("end_seconds", pa.float64()),
        ("score", pa.float64()),
    ]
)


def vectors(embeddings: NDArray[np.float32]) -> Any:
    """Return embeddings [n, D] as an Arrow array of lists of one size."""
    return pa.FixedSizeListArray.from_arrays(
        pa.array(np.ascontiguousarray(embeddings).ravel()), embeddings.shape[1]
    )


def embeddings_of(column: Any) -> NDArray[np.float32]:
    """Return the embeddings [n, D] of an Arrow column of lists of one size."""
    whole = column.combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # of no chunks
        return np.zeros((0, column.type.list_size), np.float32)
    flat = whole.flatten().to_numpy(zero_copy_only=False)
    return np.asarray(flat, np.float32).reshape(len(whole), column.type.list_size)


def frames_table(video_id: str, frames: Frames) -> Any:
    """Return the frames as a table, a row for each frame."""
    return pa.table(
        {
            "video_id": pa.array([video_id] * len(frames.pts), pa.string()),
            "timestamp_seconds": frames.timestamps_seconds,
            "pts": frames.pts,
            "chunk_index": frames.chunk_indices,
            "scene_index": frames.scene_indices,
            "embedding": vectors(frames.embeddings),
        }
    )


def frames_of(table: Any) -> Frames:
    """Return the frames of such a table."""
    return Frames(
        table["timestamp_seconds"].to_numpy(),
        table["pts"].to_numpy(),
        table["chunk_index"].to_numpy(),
        table["scene_index"].to_numpy(),
        embeddings_of(table["embedding"]),
    )


def stretches_table(
    video_id: str, stretches: Sequence[Stretch], width: int, more: Mapping[str, Any]
) -> Any:
    """Return chunks or scenes as a table, a row for each.

    Args:
        width: D, the width of the embeddings.
        more: further columns by name.
    """
    embeddings = np.array([part.embedding for part in stretches], np.float32).reshape(-1, width)
    return pa.table(
        {
            "video_id": pa.array([video_id] * len(stretches), pa.string()),
            "index": pa.array(range(len(stretches)), pa.int32()),
            "start_seconds": pa.array([part.start_seconds for part in stretches], pa.float64()),
            "end_seconds": pa.array([part.end_seconds for part in stretches], pa.float64()),
            **more,
            "tags": pa.array(
                [[_text(tag) for tag in part.tags] for part in stretches], pa.list_(TEXT)
            ),
            "caption": pa.array(
                [None if part.caption is None else _text(part.caption) for part in stretches], TEXT
            ),
            "embedding": vectors(embeddings),
        }
    )


def scenes_table(
    video_id: str, scenes: Sequence[Scene], width: int, thumbnails: Sequence[str | None]
) -> Any:
    """Return scenes as a table; `thumbnails` are the names of their pictures' files."""
    times = [scene.representative_seconds for scene in scenes]
    return stretches_table(
        video_id,
        scenes,
        width,
        {
            "representative_seconds": pa.array(times, pa.float64()),
            "thumbnail": pa.array(thumbnails, pa.string()),
        },
    )


def stretches_of(table: Any) -> tuple[Stretch, ...]:
    """Return the chunks of a table."""
    return tuple(Stretch(**fields) for fields in _stretch_fields(table))


def scenes_of(table: Any, pictures: Mapping[str, bytes]) -> tuple[Scene, ...]:
    """Return the scenes of a table; `pictures` are their thumbnails by the files' names."""
    times = table["representative_seconds"].to_pylist()
    names = table["thumbnail"].to_pylist()
    return tuple(
        Scene(**fields, representative_seconds=seconds, thumbnail=pictures.get(name or ""))
        for fields, seconds, name in zip(_stretch_fields(table), times, names, strict=True)
    )


def labels_table(video_id: str, labels: Sequence[Label]) -> Any:
    """Return objects and texts on the screen as a table, a row for each."""
    rows = [{"video_id": video_id, **vars(label)} for label in labels]
    return pa.Table.from_pylist(rows, LABELS)


def labels_of(table: Any) -> tuple[Label, ...]:
    """Return the objects and texts of such a table."""
    return tuple(Label(**row) for row in table.drop_columns("video_id").to_pylist())


def parquet(table: Any) -> bytes:
    """Return a table as the bytes of a Parquet file: the same table, the same bytes."""
    file = io.BytesIO()
    pq.write_table(table, file, compression="zstd")
    return file.getvalue()


def table_of(name: str, data: bytes) -> Any:
    """Return the table of a Parquet file; raises LibraryError if it is damaged."""
    try:
        return pq.read_table(io.BytesIO(data))
    except (pa.ArrowException, OSError) as error:
        raise LibraryError(f"{name} is damaged: {error}") from error


def _text(text: Tag | Caption) -> dict[str, Any]:
    return {"text": text.text, "score": text.score, "probability": text.probability}


def _stretch_fields(table: Any) -> list[dict[str, Any]]:
    embeddings = embeddings_of(table["embedding"])
    columns = ("start_seconds", "end_seconds", "tags", "caption")
    return [
        {
            "start_seconds": row["start_seconds"],
            "end_seconds": row["end_seconds"],
            "tags": tuple(Tag(**tag) for tag in row["tags"]),
            "caption": None if row["caption"] is None else Caption(**row["caption"]),
            "embedding": embedding,
        }
        for row, embedding in zip(table.select(columns).to_pylist(), embeddings, strict=True)
    ]
