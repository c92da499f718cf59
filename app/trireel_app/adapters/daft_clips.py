# SPDX-License-Identifier: Apache-2.0
"""The analyzer as a function on columns of Daft."""

from collections.abc import Callable
from typing import Any, Literal, Unpack

import pyarrow as pa

from trireel_app.adapters.analyzer import DEFAULT_URL, TrireelAnalyzer
from trireel_app.adapters.rows import output_schema, plain_row
from trireel_app.jobs.job import RowKind
from trireel_client import AnalysisOptions

BATCH = 16


def analyzer(
    url: str = DEFAULT_URL,
    *,
    rows: Literal["clips", "videos", "frames"] = "clips",
    in_flight: int = 4,
    processes: int = 1,
    **options: Unpack[AnalysisOptions],
) -> Callable[[Any], Any]:
    """Return a function from a column of videos to a column of lists: the rows of each video.

        clips = df.with_column("clip", analyzer("triton:8001")(df["video_path"])).explode("clip")

    Args:
        url: `host:port` of the server.
        rows: what a row of a list is.
        in_flight: videos that each process analyses at the same time.
        processes: number of processes that drive the server.
        options: options of the analysis, as for `TrireelClient.analyze`.

    Raises:
        ImportError: if Daft is not installed.
    """
    import daft

    kind = RowKind(rows)
    dtype = daft.DataType.from_arrow_type(pa.list_(pa.struct(list(output_schema(kind)))))

    class Videos:
        def __init__(self) -> None:
            self._analyzer = TrireelAnalyzer(url, rows=rows, in_flight=in_flight, **options)

        @daft.method.batch(return_dtype=dtype, batch_size=BATCH)  # type: ignore[untyped-decorator]
        def rows_of(self, videos: Any) -> list[list[dict[str, Any]]]:
            found = self._analyzer.rows(videos.to_pylist())
            return [[plain_row(row, kind) for row in video] for video in found]

    made = daft.cls(Videos, max_concurrency=processes)()
    rows_of: Callable[[Any], Any] = made.rows_of
    return rows_of
