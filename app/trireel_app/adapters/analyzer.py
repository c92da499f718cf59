# SPDX-License-Identifier: Apache-2.0
"""A callable class that analyses videos: row by row, or a batch of rows at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Literal, Unpack

import pyarrow as pa

from trireel_app.adapters.rows import failed_row, output_schema, output_table, plain_row
from trireel_app.analyse.loop_thread import LoopThread
from trireel_app.analyse.servers import NoServer, ServerLimits, Servers
from trireel_app.analyse.video import VideoResult, analyse_video
from trireel_app.errors import AppError
from trireel_app.jobs.job import RowKind
from trireel_app.jobs.output.rows import Row, rows_of
from trireel_app.sources.source import VideoSource, normal_uri
from trireel_client import AnalysisOptions, AsyncTrireelClient, ServerUnavailable, TrireelError

ATTEMPTS = 3  # of a video whose server is lost or full
DEFAULT_URL = "127.0.0.1:8001"


class TrireelAnalyzer:
    """Analyses the videos that a column names; a row of the output is a clip of a video.

    For Ray Data. The actors only drive the servers, so they need hardly any CPU.

        ds.flat_map(TrireelAnalyzer, fn_constructor_kwargs={"url": "triton:8001"},
                    concurrency=4, num_cpus=0.1)
        ds.map_batches(TrireelAnalyzer, fn_constructor_kwargs={"url": "triton:8001"},
                       concurrency=2, batch_size=8, num_cpus=0.1)

    `flat_map` gives a row, and gets a list of rows. `map_batches` gives a batch as arrays or as an
    Arrow table, whose videos are analysed side by side, and gets an Arrow table. Columns that the
    input has and the output does not are repeated for each row.

    A video that cannot be analysed has one row, with a sentence in `error`. So it does not stop
    the others. NoServer is raised if no server is ready: that stops the dataset.
    """

    def __init__(
        self,
        url: str | Sequence[str] = DEFAULT_URL,
        *,
        column: str = "video_path",
        rows: Literal["clips", "videos", "frames"] = "clips",
        in_flight: int = 4,
        wait_seconds: float = 300.0,
        **options: Unpack[AnalysisOptions],
    ) -> None:
        """Connect at the first video.

        Args:
            url: `host:port` of a server, or of several.
            column: name of the column with the videos: paths that this process can read, or URIs.
            rows: what a row of the output is.
            in_flight: videos of a batch that are analysed at the same time.
            wait_seconds: longest wait for a server.
            options: options of the analysis, as for `TrireelClient.analyze`.
        """
        urls = [url] if isinstance(url, str) else list(url)
        self._column = column
        self._kind = RowKind(rows)
        self._options = options
        self._in_flight = in_flight
        limits = ServerLimits(in_flight=in_flight, wait_seconds=wait_seconds)
        self._thread = LoopThread("analyzer")
        try:
            self._servers = self._thread.run(self._connected(urls, limits))
        except BaseException:
            self._thread.close()
            raise

    def __call__(self, data: Any) -> Any:
        """Analyse the video of a row, or the videos of a batch.

        Args:
            data: a row as a dictionary, a batch as a dictionary of arrays, or an Arrow table.

        Returns:
            Rows as a list of dictionaries; for a batch an Arrow table.

        Raises:
            KeyError: if there is no such column.
            NoServer: if no server is ready.
        """
        if isinstance(data, pa.Table):
            return self._batch({name: data[name].to_pylist() for name in data.column_names})
        if isinstance(data[self._column], str):
            (found,) = self.rows([data[self._column]])
            return [{**data, **plain_row(row, self._kind)} for row in found]
        return self._batch({name: list(values) for name, values in data.items()})

    def rows(self, videos: Sequence[str]) -> list[list[Row]]:
        """Return the rows of each video, in order; raises NoServer if no server is ready."""
        return self._thread.run(self._analysed(videos))

    def schema(self) -> Any:
        """Return the Arrow schema of the output's own columns."""
        return output_schema(self._kind)

    def close(self) -> None:
        """Close the connections; the analyzer cannot be used afterwards."""
        self._thread.run(self._servers.close())
        self._thread.close()

    def _batch(self, columns: Mapping[str, list[Any]]) -> Any:
        found = self.rows(list(map(str, columns[self._column])))
        return output_table(columns, found, self._kind)

    async def _connected(self, urls: Sequence[str], limits: ServerLimits) -> Servers:
        return Servers(urls, limits, AsyncTrireelClient)

    async def _analysed(self, videos: Sequence[str]) -> list[list[Row]]:
        slots = asyncio.Semaphore(self._in_flight)

        async def one(video: str) -> list[Row]:
            async with slots:
                return await self._rows_of(video)

        return list(await asyncio.gather(*map(one, videos)))

    async def _rows_of(self, video: str) -> list[Row]:
        try:
            result = await self._result(VideoSource(normal_uri(video)))
        except NoServer:
            raise
        except (TrireelError, AppError) as error:
            return [failed_row(video, str(error), self._kind)]
        rows = rows_of(result, self._kind)
        return [{**row, "video_path": video, "error": ""} for row in rows]

    async def _result(self, source: VideoSource) -> VideoResult:
        for attempt in range(ATTEMPTS):
            try:
                async with self._servers.lease() as lease:
                    return await analyse_video(lease.client, source, self._options, lease.facts)
            except NoServer:
                raise
            except ServerUnavailable:  # the next lease is another server's, or waits
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("the loop returns or raises")
