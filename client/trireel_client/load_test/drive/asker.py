# SPDX-License-Identifier: Apache-2.0
"""Asking for one video, by the public clients, without retries: a load test must see failures."""

from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import aclosing, closing
from typing import Any, Protocol

from trireel_client._async_client import AsyncTrireelClient
from trireel_client._client import TrireelClient
from trireel_client._results import Analysis, ChunkAnalysis, ServerInfo
from trireel_client._sources import Source
from trireel_client.load_test.drive.samples import Gathered
from trireel_client.load_test.drive.threads import Threads
from trireel_client.load_test.plan import Mode

Options = Mapping[str, Any]
Answer = ChunkAnalysis | Analysis


class Asker(Protocol):
    """One way to ask; as many videos at once as it is called."""

    async def ask(self, video: Source, gathered: Gathered) -> None:
        """Have a video analysed; raises TrireelError."""

    async def server_info(self) -> ServerInfo:
        """Ask who the server is; raises TrireelError."""

    async def close(self) -> None:
        """Close the connections."""


class GrpcAsker:
    """Asks from the event loop, over one connection."""

    def __init__(self, client: AsyncTrireelClient, mode: Mode, options: Options) -> None:
        self._client = client
        self._mode = mode
        self._options = options

    async def ask(self, video: Source, gathered: Gathered) -> None:
        """Have a video analysed; raises TrireelError."""
        match self._mode:
            case Mode.WHOLE:
                gathered.take(await self._client.analyze(video, **self._options))
            case Mode.STREAM:
                await _take_all(self._client.stream(video, **self._options), gathered)
            case Mode.SEQUENCE:
                await _take_all(self._client.step(video, **self._options), gathered)

    async def server_info(self) -> ServerInfo:
        """Ask who the server is; raises TrireelError."""
        return await self._client.server_info()

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()


class HttpAsker:
    """Asks from threads, each with a client of its own, because HTTP clients block."""

    def __init__(
        self, make_client: Callable[[], TrireelClient], mode: Mode, options: Options
    ) -> None:
        self._threads = Threads(make_client)
        self._mode = mode
        self._options = options

    async def ask(self, video: Source, gathered: Gathered) -> None:
        """Have a video analysed; raises TrireelError."""

        def job(client: TrireelClient) -> None:
            match self._mode:
                case Mode.WHOLE:
                    gathered.take(client.analyze(video, **self._options))
                case Mode.STREAM:
                    _take_all_blocking(client.stream(video, **self._options), gathered)
                case Mode.SEQUENCE:
                    _take_all_blocking(client.step(video, **self._options), gathered)

        await self._threads.run(job)

    async def server_info(self) -> ServerInfo:
        """Ask who the server is; raises TrireelError."""
        return await self._threads.run(TrireelClient.server_info)

    async def close(self) -> None:
        """Close the connections that are not in use; the others end with the process."""
        self._threads.close()


async def _take_all(answers: AsyncGenerator[Any, None], gathered: Gathered) -> None:
    async with aclosing(answers):
        async for answer in answers:
            gathered.take(answer)


def _take_all_blocking(answers: Generator[Any, None, None], gathered: Gathered) -> None:
    with closing(answers):
        for answer in answers:
            gathered.take(answer)
