# SPDX-License-Identifier: Apache-2.0
"""Requests for one video by the public clients, without retries: a load test counts failures."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from typing import Any, Protocol

from trireel_client._async_client import AsyncTrireelClient
from trireel_client._client import TrireelClient
from trireel_client._results import Analysis, ChunkAnalysis
from trireel_client._servers import ServerInfo
from trireel_client._sources import Source
from trireel_client.load_test.drive.samples import SampleRecorder
from trireel_client.load_test.drive.threads import Threads
from trireel_client.load_test.plan import Mode

Options = Mapping[str, Any]
Answer = ChunkAnalysis | Analysis


class Requester(Protocol):
    """One way to request videos; any number of calls may run at once."""

    async def analyze(self, video: Source, recorder: SampleRecorder) -> None:
        """Analyse a video and record its answers; raises TrireelError."""

    async def server_info(self) -> ServerInfo:
        """Return the server's name and version; raises TrireelError."""

    async def close(self) -> None:
        """Close the connections."""


class GrpcRequester:
    """Sends requests from the event loop, over one connection."""

    def __init__(self, client: AsyncTrireelClient, mode: Mode, options: Options) -> None:
        self._client = client
        self._mode = mode
        self._options = options

    async def analyze(self, video: Source, recorder: SampleRecorder) -> None:
        """Analyse a video and record its answers; raises TrireelError."""
        match self._mode:
            case Mode.WHOLE:
                recorder.add(await self._client.analyze(video, **self._options))
            case Mode.STREAM:
                await _record_all(self._client.stream(video, **self._options), recorder)
            case Mode.SEQUENCE:
                await _record_all(self._client.step(video, **self._options), recorder)

    async def server_info(self) -> ServerInfo:
        """Return the server's name and version; raises TrireelError."""
        return await self._client.server_info()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


class HttpRequester:
    """Sends requests from threads, each with a client of its own, because HTTP clients block."""

    def __init__(
        self, make_client: Callable[[], TrireelClient], mode: Mode, options: Options
    ) -> None:
        self._threads = Threads(make_client)
        self._mode = mode
        self._options = options

    async def analyze(self, video: Source, recorder: SampleRecorder) -> None:
        """Analyse a video and record its answers; raises TrireelError."""

        def job(client: TrireelClient) -> None:
            match self._mode:
                case Mode.WHOLE:
                    recorder.add(client.analyze(video, **self._options))
                case Mode.STREAM:
                    _record_all_blocking(client.stream(video, **self._options), recorder)
                case Mode.SEQUENCE:
                    _record_all_blocking(client.step(video, **self._options), recorder)

        await self._threads.run(job)

    async def server_info(self) -> ServerInfo:
        """Return the server's name and version; raises TrireelError."""
        return await self._threads.run(TrireelClient.server_info)

    async def close(self) -> None:
        """Close the idle connections; the others end with the process."""
        self._threads.close()


async def _record_all(answers: AsyncGenerator[Any, None], recorder: SampleRecorder) -> None:
    async with aclosing(answers):
        async for answer in answers:
            recorder.add(answer)


def _record_all_blocking(answers: Generator[Any, None, None], recorder: SampleRecorder) -> None:
    with closing(answers):
        for answer in answers:
            recorder.add(answer)
