# SPDX-License-Identifier: Apache-2.0
"""The blocking client."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import AskServerInfo, Infer, ReadFile, ServerCall
from trireel_client._caption_options import CaptionOptions
from trireel_client._captions import CaptionEvent
from trireel_client._config import Protocol, Retry, Timeout, addresses, checked_protocol
from trireel_client._descriptions import DescribedPiece, DescribeOptions
from trireel_client._errors import ClientClosed, TrireelError, Unsupported
from trireel_client._flows import flows
from trireel_client._flows.captions import CaptionRequest, open_captions
from trireel_client._flows.describe import Picture, describe_call, described
from trireel_client._flows.flows import Flow, T, VideoRequest
from trireel_client._flows.resumed import Answer, Reader, ResumedStream, open_chunks
from trireel_client._flows.steps import Resumption, Walk, plan_steps
from trireel_client._flows.thumbnails import thumbnails
from trireel_client._options import AnalysisOptions, StepOptions, Tensors, step_inputs
from trireel_client._results import Analysis, ChunkAnalysis, Thumbnail
from trireel_client._servers import ServerDetails, ServerInfo
from trireel_client._sources import Source, classify, read_upload
from trireel_client._transports.connect import connect
from trireel_client._transports.several import SeveralTransports
from trireel_client._transports.tls import Tls
from trireel_client._transports.wire import Transport, checked_headers, retry_arguments


class TrireelClient:
    """Sends requests to a Trireel server and waits for the answers.

    Over gRPC one client serves many threads, with one stream open at a time; over HTTP a client
    belongs to the thread that made it.

        with TrireelClient("127.0.0.1:8001") as client:
            print(client.analyze("sample.mp4").tags[0].text)
    """

    def __init__(
        self,
        url: str | Sequence[str] | None = None,
        *,
        protocol: Protocol = "grpc",
        timeout: Timeout | None = None,
        retries: Retry | None = None,
        headers: Mapping[str, str] | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Make a client; it connects at its first request.

        Args:
            url: HOST:PORT; by default 127.0.0.1:8001 for gRPC, 127.0.0.1:8000 for HTTP. Of several
                servers of one checkpoint, the next one is used if one is lost or full.
            protocol: "grpc" or "http". Streaming needs gRPC.
            timeout: how long to wait for connections and answers.
            retries: how often to repeat a request if the server is not available.
            headers: headers to send with every request.
            tls: TLS settings; None uses no TLS.

        Raises:
            InvalidAddress: if `url` is not HOST:PORT.
            InvalidRequest: if one of `headers` cannot be sent.
            InvalidTls: if a file of `tls` is missing or cannot be used.
        """
        protocol = checked_protocol(protocol)
        servers = addresses(url, protocol)
        self._server = flows.Server(servers[0])
        self._retry = retries or Retry()
        self._timeout = timeout or Timeout()
        transports = [
            connect(protocol, address, self._timeout, checked_headers(headers), tls)
            for address in servers
        ]
        self._transport: Transport | None = (
            transports[0] if len(transports) == 1 else SeveralTransports(transports)
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; the client cannot be used afterwards."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def analyze(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[AnalysisOptions],
    ) -> Analysis:
        """Analyse a whole video.

        Args:
            source: a path of this machine, a URI, a file's bytes, or a ServerPath.
            stream_id: name of the video in the answer and the server's log; random by default.
            options: see `AnalysisOptions`; the server chooses those that are left out.

        Raises:
            TrireelError: if there is no answer; `trireel_client._errors` lists the reasons.
        """
        request = VideoRequest.of(source, options, stream_id)
        return self._run(flows.analyze(self._server, request))

    def stream(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[AnalysisOptions],
    ) -> Generator[ChunkAnalysis | Analysis, None, None]:
        """Analyse a video and yield each chunk as it is ready, then the whole video.

        Closing the iterator cancels the request. A broken stream is opened again and goes on after
        the last chunk that was yielded. The arguments are those of `analyze`.

        Raises:
            Unsupported: if the client uses HTTP.
            TrireelError: if there is no answer; `trireel_client._errors` lists the reasons.
        """
        request = VideoRequest.of(source, options, stream_id)
        self._check_streams()
        return self._streamed(open_chunks(self._server, request))

    def captions(
        self,
        source: Source,
        *,
        stream_id: str | None = None,
        **options: Unpack[CaptionOptions],
    ) -> Generator[CaptionEvent, None, None]:
        """Read the captions in a video's picture and yield them as they end.

        The events are `ScreenCaption`, `Clip`, `CaptionProgress`, and at the end `CaptionReport`.
        The options are `CaptionOptions`; the rest is as for `stream`.
        """
        request = CaptionRequest.of(source, options, stream_id)
        self._check_streams()
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
    ) -> Generator[ChunkAnalysis, None, None]:
        """Go through a video chunk by chunk, each its own request of one sequence.

        The client requests a chunk when the caller takes it. An upload is sent again with every
        chunk. The last chunk's `video_so_far` covers the whole video. Stopping early, or an error,
        ends the sequence on the server.

        Each chunk comes with the video's state, from which any server goes on, bit for bit.

        Args:
            sequence_id: the correlation id, random by default; one video at a time may use it.
            resume: False requests no states. If the server is lost, the client then requests the
                chunks so far again as a new sequence, or raises SequenceLost if it has the
                caller's id.
            start_state: `state` of the last chunk of an earlier walk, from which this one goes on.
            first_chunk: index of the chunk after that one.
            options: see `StepOptions`.

        Raises:
            SequenceLost: if the server with the state is gone, no state was returned, and
                `sequence_id` is the caller's.
            TrireelError: if there is no answer; `trireel_client._errors` lists the reasons.
        """
        inputs = step_inputs(options)
        resumption = Resumption(resume, start_state, first_chunk)
        video = classify(source)
        return self._stepped(plan_steps(self._server, video, inputs, sequence_id, resumption))

    def thumbnails(self, source: Source, analysis: Analysis) -> tuple[Thumbnail, ...]:
        """Return a picture of each scene of an analysis: its representative frame.

        An upload is sent again for every four scenes.

        Raises:
            InvalidRequest: if scenes were not requested.
            TrireelError: if there is no answer; `trireel_client._errors` lists the reasons.
        """
        return self._run(thumbnails(self._server, classify(source), analysis))

    def embed_texts(self, texts: Sequence[str], *, are_tags: bool = False) -> NDArray[np.float32]:
        """Return the embeddings [len(texts), D] of texts, unit length.

        Args:
            are_tags: put each text into the sentence that the server's export has for tags.
        """
        return self._run(flows.embed_texts(texts, are_tags=are_tags))

    def describe(
        self, prompt: str, pictures: Sequence[Picture] = (), **options: Unpack[DescribeOptions]
    ) -> Generator[DescribedPiece, None, None]:
        """Yield the pieces of a model's answer about pictures, or about a text alone.

        Pictures are uint8 [H, W, 3] of one size, 16 at most.
        """
        call = describe_call(prompt, pictures, options)
        self._check_streams()
        with self._open().one_stream():
            yield from described(self._ask(call, self._timeout.request_seconds))

    def server_info(self) -> ServerInfo:
        """Return the server's name and version."""
        return self._perform(AskServerInfo())  # type: ignore[no-any-return]

    def server_details(self) -> ServerDetails:
        """Return the server's checkpoint, settings and findings; NotFound from older servers."""
        return self._run(flows.server_details())

    def is_ready(self, model: str | None = None) -> bool:
        """Return whether the server, or one of its models, is ready; False without an answer."""
        return self._run(flows.is_ready(model))

    def _check_streams(self) -> None:
        if not self._open().streams:
            raise Unsupported(
                "streaming needs gRPC: make the client with protocol='grpc' and the gRPC port"
            )

    def _streamed(self, opening: Flow[Reader[Answer]]) -> Generator[Answer, None, None]:
        with self._open().one_stream():
            reader = self._run(opening)
            with closing(
                ResumedStream(reader, self._timeout.request_seconds, self._ask)
            ) as answers:
                while (answer := self._next(answers)) is not None:
                    yield answer

    def _next(self, answers: ResumedStream[Answer]) -> Answer | None:
        return self._retried(True, answers.left_seconds(), answers.next)

    def _ask(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        return self._open().stream(call, within_seconds)

    def _stepped(self, plan: Flow[Walk]) -> Generator[ChunkAnalysis, None, None]:
        walk = self._run(plan)
        try:
            for index in walk:
                yield self._retried(
                    walk.can_restart, self._timeout.request_seconds, self._chunk, walk, index
                )
        finally:
            self._run(walk.end())

    def _chunk(self, walk: Walk, index: int) -> ChunkAnalysis:
        return self._run(walk.chunk(index))

    def _run(self, flow: Flow[T]) -> T:
        return flows.run(flow, self._perform)

    def _perform(self, call: ServerCall | ReadFile) -> Any:
        if isinstance(call, ReadFile):
            return read_upload(call.path)
        return self._retried(call.repeatable, self._timeout.request_seconds, self._answer, call)

    def _answer(self, call: ServerCall) -> Any:
        # Each attempt checks again: the client may be closed in the pause before it.
        return self._open().answer(call)

    def _retried(
        self, repeatable: bool, within_seconds: float, ask: Callable[..., T], *arguments: Any
    ) -> T:
        from tenacity import Retrying

        retrying = retry_arguments(
            self._retry, repeatable=repeatable, within_seconds=within_seconds
        )
        try:
            return Retrying(**retrying)(ask, *arguments)
        except TrireelError:
            self._server.forget()
            raise

    def _open(self) -> Transport:
        if self._transport is None:
            raise ClientClosed("the client is closed: make a new one")
        return self._transport
