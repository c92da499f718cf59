# SPDX-License-Identifier: Apache-2.0
"""The blocking client."""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from types import TracebackType
from typing import Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import AskServerInfo, Infer, ReadFile, ServerCall
from trireel_client._config import DEFAULT_URLS, Address, Protocol, Retry, Timeout, checked_protocol
from trireel_client._errors import ClientClosed, TrireelError, Unsupported
from trireel_client._flows import flows
from trireel_client._flows.flows import Flow, T, VideoRequest
from trireel_client._flows.resumed import Resumed
from trireel_client._flows.steps import Walk, plan_steps
from trireel_client._options import AnalysisOptions, StepOptions, Tensors, step_inputs
from trireel_client._results import Analysis, ChunkAnalysis, ServerInfo
from trireel_client._sources import Source, classify, read_upload
from trireel_client._transports.tls import Tls
from trireel_client._transports.wire import Transport, checked_headers, retry_arguments


class TrireelClient:
    """Asks a Trireel server, and waits.

    Over gRPC one client serves many threads, with one stream open at a time; over HTTP a client
    belongs to the thread that made it.

        with TrireelClient("127.0.0.1:8001") as client:
            print(client.analyze("sample.mp4").caption.text)
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        protocol: Protocol = "grpc",
        timeout: Timeout | None = None,
        retries: Retry | None = None,
        headers: Mapping[str, str] | None = None,
        tls: Tls | None = None,
    ) -> None:
        """Make a client; it connects at its first request.

        Args:
            url: HOST:PORT; by default 127.0.0.1:8001 for gRPC, 127.0.0.1:8000 for HTTP.
            protocol: "grpc" or "http". Streaming needs gRPC.
            timeout: how long to wait.
            retries: how often to ask again where the server is not available.
            headers: sent with every request.
            tls: how to talk with TLS; None talks without.

        Raises:
            InvalidAddress: `url` is not HOST:PORT.
            InvalidRequest: one of `headers` cannot be sent.
            InvalidTls: a file of `tls` is missing or of no use.
        """
        protocol = checked_protocol(protocol)
        address = Address.parse(DEFAULT_URLS[protocol] if url is None else url)
        self._server = flows.Server(address)
        self._retry = retries or Retry()
        self._timeout = timeout or Timeout()
        self._transport: Transport | None = _connect(
            protocol, address, self._timeout, checked_headers(headers), tls
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
        """Have a whole video analysed.

        Args:
            source: a path of this machine, a URI, a file's bytes, or a ServerPath.
            stream_id: a name for the video, by default a random one.
            options: see `AnalysisOptions`; what is left out is the server's to choose.

        Raises:
            TrireelError: see `trireel_client._errors`.
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
        """Have a video analysed, and yield each chunk as it is ready, then the whole.

        Closing the iterator early cancels the request. A stream that breaks is asked for anew, and
        goes on after the last chunk that was given. Arguments are those of `analyze`.

        Raises:
            Unsupported: the client speaks HTTP.
            TrireelError: see `trireel_client._errors`.
        """
        request = VideoRequest.of(source, options, stream_id)
        if not self._open().streams:
            raise Unsupported(
                "streaming needs gRPC: make the client with protocol='grpc' and the gRPC port"
            )
        return self._streamed(request)

    def step(
        self,
        source: Source,
        *,
        sequence_id: str | int | None = None,
        **options: Unpack[StepOptions],
    ) -> Generator[ChunkAnalysis, None, None]:
        """Go through a video chunk by chunk, each its own request of one sequence.

        The pace is the caller's: the next chunk is asked for when it is wanted. Uploads travel
        again with every chunk, so name a path or a URI where the server can read it. The last
        chunk's `video_so_far` speaks of the whole video. Stopping early, or an error, ends the
        sequence on the server.

        One server keeps the video's state. Where that is lost, the chunks so far are asked for
        again as a new sequence, wherever that leads, and the caller gets the next one; within
        a sequence no chunk is ever asked for twice, as it would count twice.

        Args:
            sequence_id: the correlation id, by default a random one; one video at a time may
                use it. With one of the caller's, a lost sequence is not begun anew.
            options: see `StepOptions`.

        Raises:
            SequenceLost: the server with the state is gone, and `sequence_id` is the caller's.
            TrireelError: see `trireel_client._errors`.
        """
        inputs = step_inputs(options)
        return self._stepped(plan_steps(self._server, classify(source), inputs, sequence_id))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the embeddings [len(texts), D] of texts, unit length."""
        return self._run(flows.embed_texts(texts))

    def server_info(self) -> ServerInfo:
        """Ask who the server is."""
        return self._perform(AskServerInfo())  # type: ignore[no-any-return]

    def is_ready(self, model: str | None = None) -> bool:
        """Tell whether the server, or one of its models, is ready; False if nobody answers."""
        return self._run(flows.is_ready(model))

    def _streamed(self, request: VideoRequest) -> Generator[ChunkAnalysis | Analysis, None, None]:
        with self._open().one_stream():
            stream = self._run(flows.open_stream(self._server, request))
            with closing(Resumed(stream, self._timeout.request_seconds, self._ask)) as answers:
                while (answer := self._next(answers)) is not None:
                    yield answer

    def _next(self, answers: Resumed) -> ChunkAnalysis | Analysis | None:
        return self._retried(True, answers.left_seconds(), answers.next)

    def _ask(self, call: Infer, within_seconds: float) -> Generator[Tensors, None, None]:
        return self._open().stream(call, within_seconds)

    def _stepped(self, plan: Flow[Walk]) -> Generator[ChunkAnalysis, None, None]:
        walk = self._run(plan)
        try:
            for index in walk:
                yield self._retried(
                    walk.can_begin_anew, self._timeout.request_seconds, self._chunk, walk, index
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
        # Each attempt looks anew: the client may be closed in the pause before it.
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


def _connect(
    protocol: Protocol,
    address: Address,
    timeout: Timeout,
    headers: Mapping[str, str],
    tls: Tls | None,
) -> Transport:
    if protocol == "grpc":
        from trireel_client._transports.grpc import GrpcTransport

        return GrpcTransport(address, timeout, headers, tls)
    from trireel_client._transports.http import HttpTransport

    return HttpTransport(address, timeout, headers, tls)
