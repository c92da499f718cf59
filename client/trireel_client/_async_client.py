# SPDX-License-Identifier: Apache-2.0
"""The client for event loops."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import AskServerInfo, Infer, ReadFile, ServerCall
from trireel_client._caption_options import CaptionOptions
from trireel_client._captions import CaptionEvent
from trireel_client._config import Retry, Timeout, addresses
from trireel_client._descriptions import DescribedPiece, DescribeOptions
from trireel_client._errors import ClientClosed, TrireelError
from trireel_client._flows import flows
from trireel_client._flows.captions import CaptionRequest, open_captions
from trireel_client._flows.describe import Picture, describe_call, described_async
from trireel_client._flows.flows import Flow, T, VideoRequest
from trireel_client._flows.resumed import Answer, AsyncResumedStream, Reader, open_chunks
from trireel_client._flows.steps import Resumption, Walk, plan_steps
from trireel_client._flows.thumbnails import thumbnails
from trireel_client._options import AnalysisOptions, StepOptions, Tensors, step_inputs
from trireel_client._results import Analysis, ChunkAnalysis, Thumbnail
from trireel_client._servers import ServerDetails, ServerInfo
from trireel_client._sources import Source, classify, read_upload
from trireel_client._transports.aio import AioGrpcTransport
from trireel_client._transports.several import AsyncSeveralTransports, AsyncTransport
from trireel_client._transports.tls import Tls
from trireel_client._transports.wire import checked_headers, retry_arguments


class AsyncTrireelClient:
    """Sends requests to a Trireel server by gRPC from an event loop, any number at once.

    One client is enough for a process. Limit the number of requests in flight: each keeps the
    bytes of its video in memory until it is answered.

        async with AsyncTrireelClient("127.0.0.1:8001") as client:
            print((await client.analyze("sample.mp4")).tags[0].text)
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        timeout: Timeout | None = None,
        retries: Retry | None = None,
        headers: Mapping[str, str] | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Make a client inside the event loop that uses it; arguments as for `TrireelClient`."""
        servers = addresses(url, "grpc")
        self._server = flows.Server(servers[0])
        self._retry = retries or Retry()
        self._timeout = timeout or Timeout()
        transports = [
            AioGrpcTransport(address, self._timeout, checked_headers(headers), tls)
            for address in servers
        ]
        self._transport: AsyncTransport | None = (
            transports[0] if len(transports) == 1 else AsyncSeveralTransports(transports)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection; the client cannot be used afterwards."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.close()

    async def analyze(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[AnalysisOptions],
    ) -> Analysis:
        """Analyse a whole video; see `TrireelClient.analyze`.

        Cancelling the task cancels the request on the server.
        """
        request = VideoRequest.of(source, options, stream_id)
        return await self._run(flows.analyze(self._server, request))

    def stream(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[AnalysisOptions],
    ) -> AsyncGenerator[ChunkAnalysis | Analysis, None]:
        """Analyse a video and yield each chunk as it is ready, then the whole video.

        Closing the iterator cancels the request. Leaving an `async for` early does not close it
        at once; `async with contextlib.aclosing(client.stream(...)) as chunks` does.
        """
        self._open()
        request = VideoRequest.of(source, options, stream_id)
        return self._streamed(open_chunks(self._server, request))

    def captions(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[CaptionOptions],
    ) -> AsyncGenerator[CaptionEvent, None]:
        """Read the captions in a video's picture; see `TrireelClient.captions` and `stream`."""
        self._open()
        request = CaptionRequest.of(source, options, stream_id)
        return self._streamed(open_captions(self._server, request))

    def step(
        self,
        source: Source,
        *,
        sequence_id: str | int | None = None,
        resume: bool = True,
        start_state: bytes | None = None,
        first_chunk: int = 0,
        **options: Unpack[StepOptions],
    ) -> AsyncGenerator[ChunkAnalysis, None]:
        """Go through a video chunk by chunk; see `TrireelClient.step`.

        Leaving an `async for` early does not end the sequence at once; `async with
        contextlib.aclosing(client.step(...)) as chunks` does.
        """
        self._open()
        inputs = step_inputs(options)
        resumption = Resumption(resume, start_state, first_chunk)
        video = classify(source)
        return self._stepped(plan_steps(self._server, video, inputs, sequence_id, resumption))

    async def thumbnails(self, source: Source, analysis: Analysis) -> tuple[Thumbnail, ...]:
        """Return a picture of each scene of an analysis: its representative frame.

        An upload is sent again for every four scenes.

        Raises:
            InvalidRequest: if scenes were not requested.
            TrireelError: if there is no answer; `trireel_client._errors` lists the reasons.
        """
        return await self._run(thumbnails(self._server, classify(source), analysis))

    async def embed_texts(
        self, texts: Sequence[str], *, are_tags: bool = False
    ) -> NDArray[np.float32]:
        """Return the embeddings [len(texts), D] of texts, unit length.

        Args:
            are_tags: put each text into the sentence that the server's export has for tags.
        """
        return await self._run(flows.embed_texts(texts, are_tags=are_tags))

    def describe(
        self, prompt: str, pictures: Sequence[Picture] = (), **options: Unpack[DescribeOptions]
    ) -> AsyncGenerator[DescribedPiece, None]:
        """Yield the pieces of a model's answer; see `TrireelClient.describe` and `stream`."""
        call = describe_call(prompt, pictures, options)
        return described_async(self._ask(call, self._timeout.request_seconds))

    async def server_info(self) -> ServerInfo:
        """Return the server's name and version."""
        return await self._perform(AskServerInfo())  # type: ignore[no-any-return]

    async def server_details(self) -> ServerDetails:
        """Return the server's checkpoint, settings and findings; NotFound from older servers."""
        return await self._run(flows.server_details())

    async def is_ready(self, model: str | None = None) -> bool:
        """Return whether the server, or one of its models, is ready; False without an answer."""
        return await self._run(flows.is_ready(model))

    async def _streamed(self, opening: Flow[Reader[Answer]]) -> AsyncGenerator[Answer, None]:
        reader = await self._run(opening)
        answers = AsyncResumedStream(reader, self._timeout.request_seconds, self._ask)
        async with aclosing(answers):
            while (answer := await self._next(answers)) is not None:
                yield answer

    async def _next(self, answers: AsyncResumedStream[Answer]) -> Answer | None:
        return await self._retried(True, answers.left_seconds(), answers.next)

    def _ask(self, call: Infer, within_seconds: float) -> AsyncGenerator[Tensors, None]:
        return self._open().stream(call, within_seconds)

    async def _stepped(self, plan: Flow[Walk]) -> AsyncGenerator[ChunkAnalysis, None]:
        walk = await self._run(plan)
        try:
            for index in walk:
                yield await self._retried(
                    walk.can_restart, self._timeout.request_seconds, self._chunk, walk, index
                )
        finally:
            await self._run(walk.end())

    async def _chunk(self, walk: Walk, index: int) -> ChunkAnalysis:
        return await self._run(walk.chunk(index))

    async def _run(self, flow: Flow[T]) -> T:
        return await flows.run_async(flow, self._perform)

    async def _perform(self, call: ServerCall | ReadFile) -> Any:
        if isinstance(call, ReadFile):
            return await asyncio.to_thread(read_upload, call.path)
        within_seconds = self._timeout.request_seconds
        return await self._retried(call.repeatable, within_seconds, self._answer, call)

    async def _answer(self, call: ServerCall) -> Any:
        # Each attempt checks again: the client may be closed in the pause before it.
        return await self._open().answer(call)

    async def _retried(
        self,
        repeatable: bool,
        within_seconds: float,
        ask: Callable[..., Awaitable[T]],
        *arguments: Any,
    ) -> T:
        from tenacity import AsyncRetrying

        retrying = retry_arguments(
            self._retry, repeatable=repeatable, within_seconds=within_seconds
        )
        try:
            return await AsyncRetrying(**retrying)(ask, *arguments)
        except TrireelError:
            self._server.forget()
            raise

    def _open(self) -> AsyncTransport:
        if self._transport is None:
            raise ClientClosed("the client is closed: make a new one")
        return self._transport
