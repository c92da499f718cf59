# SPDX-License-Identifier: Apache-2.0
"""Rows as Parquet: embeddings are fixed-size lists of FP32."""

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from trireel_app.jobs.job import RowKind
from trireel_app.jobs.output.rows import Row

COMPRESSION = "zstd"
ROWS_IN_GROUP = 65_536

_TAGS = pa.list_(
    pa.struct([("text", pa.string()), ("score", pa.float32()), ("probability", pa.float32())])
)
_ADDRESS = [("video_path", pa.string())]
_TIMES = [("start_sec", pa.float64()), ("end_sec", pa.float64())]
_TEXTS = [("summary", pa.string()), ("caption", pa.string()), ("tags", _TAGS)]
_COLUMNS: dict[RowKind, Sequence[tuple[str, Any]]] = {
    RowKind.CLIPS: [
        *_ADDRESS,
        ("clip_index", pa.int32()),
        *_TIMES,
        *_TEXTS,
        ("num_cuts", pa.int32()),
    ],
    RowKind.VIDEOS: [*_ADDRESS, *_TIMES, *_TEXTS, ("answer", pa.string())],
    RowKind.FRAMES: [
        *_ADDRESS,
        ("clip_index", pa.int32()),
        ("frame_index", pa.int32()),
        ("pts", pa.int64()),
        ("seconds", pa.float64()),
    ],
}
EMBEDDING = "embedding"


def columns_of(kind: RowKind) -> Sequence[tuple[str, Any]]:
    """Return name and Arrow type of each column, without the embeddings'."""
    return _COLUMNS[kind]


def part_of(rows: Sequence[Row], kind: RowKind) -> bytes:
    """Return rows as a Parquet file; the same rows give the same bytes."""
    columns = dict(_COLUMNS[kind])
    arrays = {
        name: pa.array([_plain(row[name]) for row in rows], columns[name]) for name in columns
    }
    embeddings = [row[EMBEDDING] for row in rows if row.get(EMBEDDING) is not None]
    if embeddings and len(embeddings) == len(rows):
        width = len(embeddings[0])
        values = pa.array(np.concatenate(embeddings))
        arrays[EMBEDDING] = pa.FixedSizeListArray.from_arrays(values, width)
    buffer = io.BytesIO()
    pq.write_table(pa.table(arrays), buffer, compression=COMPRESSION)
    return buffer.getvalue()


def join_parts(parts: Iterable[bytes], kind: RowKind, path: Path) -> None:
    """Write the rows of parts as one Parquet file, in large row groups."""
    tables = [pq.read_table(io.BytesIO(part)) for part in parts]
    if tables:
        table = pa.concat_tables(tables).combine_chunks()
    else:
        table = pa.schema(list(_COLUMNS[kind])).empty_table()
    pq.write_table(table, path, compression=COMPRESSION, row_group_size=ROWS_IN_GROUP)


def _plain(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
