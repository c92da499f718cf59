# SPDX-License-Identifier: Apache-2.0
"""Rows of analysed videos as other engines take them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from trireel_app.jobs.job import RowKind
from trireel_app.jobs.output.parquet import EMBEDDING, columns_of
from trireel_app.jobs.output.rows import Row


def output_schema(kind: RowKind) -> Any:
    """Return the Arrow schema: the columns of `trireel batch`, embeddings, and `error`."""
    # A list of any size, so that batches with and without embeddings have one schema.
    return pa.schema(
        [*columns_of(kind), (EMBEDDING, pa.list_(pa.float32())), ("error", pa.string())]
    )


def failed_row(video: str, reason: str, kind: RowKind) -> Row:
    """Return the one row of a video that was not analysed."""
    empty = dict.fromkeys(output_schema(kind).names)
    return {**empty, "video_path": video, "error": reason}


def plain_row(row: Row, kind: RowKind) -> Row:
    """Return a row of plain Python values that has all columns."""
    return {name: _plain(row.get(name)) for name in output_schema(kind).names}


def output_table(
    columns: Mapping[str, Sequence[Any]], found: Sequence[Sequence[Row]], kind: RowKind
) -> Any:
    """Return the rows of a batch's videos as an Arrow table.

    Args:
        columns: the batch; columns that the output does not have are repeated for each row.
        found: rows of each video of the batch, in order.
    """
    schema = output_schema(kind)
    rows = [plain_row(row, kind) for video in found for row in video]
    arrays = {
        name: pa.array([row[name] for row in rows], schema.field(name).type)
        for name in schema.names
    }
    counts = [len(video) for video in found]
    for name, values in columns.items():
        if name not in arrays:
            arrays[name] = pa.array(
                [value for value, count in zip(values, counts, strict=True) for _ in range(count)]
            )
    return pa.table(arrays)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
