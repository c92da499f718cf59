# SPDX-License-Identifier: Apache-2.0
"""The logic of a client without input and output: generators of calls, blocking or async.

A flow yields a call, receives its answer, and returns a result; a runner makes the calls.
"""

import os
import time
import uuid
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from trireel_client._calls import (
    AskParameters,
    AskReady,
    AskServerInfo,
    Infer,
    ReadFile,
    ServerCall,
)
from trireel_client._config import Address
from trireel_client._errors import (
    RequestError,
    RequestTimeout,
    ServerUnavailable,
    TlsFailed,
    TrireelError,
)
from trireel_client._flows.parse import is_aggregate, parse_analysis, parse_chunk, parse_details
from trireel_client._flows.tensors import ANY, NUMBERS, take
from trireel_client._options import (
    AnalysisOptions,
    Inputs,
    Tensors,
    analysis_inputs,
    checked_texts,
    texts,
    utf8,
)
from trireel_client._results import Analysis, ChunkAnalysis
from trireel_client._servers import ServerDetails, ServerInfo
from trireel_client._sources import Reference, Source, Upload, Video, classify, is_uri

T = TypeVar("T")
Flow = Generator[ServerCall | ReadFile, Any, T]

TEXTS_PER_REQUEST = 64  # siglip_text's largest batch
MEDIA_ROOT_ID = "media_root_id"  # parameter of video_analysis: identity of its media folder
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class Server:
    """What the client knows of a server, until an error makes that doubtful."""

    address: Address
    """Address of the server."""
    info: ServerInfo | None = None
    """Name and version of the server; None if not yet known."""
    media_root_id: str | None = None
    """Identity of the server's media folder; "" if it is not on this machine, None if unknown."""

    def forget(self) -> None:
        """Drop the knowledge: another server may have taken the place of this one."""
        self.info, self.media_root_id = None, None


@dataclass(frozen=True)
class VideoRequest:
    """The request for one whole video."""

    source: Video
    """Video to analyse."""
    inputs: Inputs
    """Options of the analysis."""
    stream_id: str
    """Name of the video."""

    @classmethod
    def of(cls, source: Source, options: AnalysisOptions, stream_id: str | None) -> "VideoRequest":
        """Make a request, with a random name if `stream_id` is None; raises TrireelError."""
        inputs = analysis_inputs(options)
        name = str(uuid.uuid4()) if stream_id is None else stream_id
        utf8("stream_id", name)
        return cls(classify(source), inputs, name)


@dataclass(frozen=True)
class OpenStream:
    """A streaming request that is ready to send, and the reader of its answers."""

    call: Infer
    """Call that opens the stream."""
    findings: tuple[str, ...]
    """Names of the findings that the answers hold."""
    server: ServerInfo
    """Name and version of the server."""
    began_seconds: float
    """Time of the request on this machine's monotonic clock."""

    def read(self, tensors: Tensors) -> ChunkAnalysis | Analysis:
        """Return one answer as a chunk or as the whole video."""
        if not is_aggregate(tensors):
            return parse_chunk(tensors, self.findings)
        return parse_analysis(
            tensors,
            self.findings,
            stream_id=self.call.request_id,
            server=self.server,
            client_ms=_ms_since(self.began_seconds),
        )


def run(flow: Flow[T], perform: Callable[[ServerCall | ReadFile], Any]) -> T:
    """Run a flow to its end."""
    resume: Callable[[], ServerCall | ReadFile] = partial(next, flow)
    while True:
        try:
            call = resume()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        try:
            resume = partial(flow.send, perform(call))
        except TrireelError as error:
            resume = partial(flow.throw, error)


async def run_async(flow: Flow[T], perform: Callable[[ServerCall | ReadFile], Awaitable[Any]]) -> T:
    """Run a flow to its end in an event loop."""
    resume: Callable[[], ServerCall | ReadFile] = partial(next, flow)
    while True:
        try:
            call = resume()
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        try:
            resume = partial(flow.send, await perform(call))
        except TrireelError as error:
            resume = partial(flow.throw, error)


def analyze(server: Server, request: VideoRequest) -> Flow[Analysis]:
    """Have a whole video analysed."""
    info = yield from server_info(server)
    call = yield from _whole_video(server, "video_analysis", request)
    began_seconds = time.perf_counter()
    tensors = yield call
    return parse_analysis(
        tensors,
        request.inputs.findings,
        stream_id=request.stream_id,
        server=info,
        client_ms=_ms_since(began_seconds),
    )


def open_stream(server: Server, request: VideoRequest) -> Flow[OpenStream]:
    """Prepare a request with an answer for each chunk."""
    info = yield from server_info(server)
    call = yield from _whole_video(server, "video_analysis_stream", request)
    return OpenStream(call, request.inputs.findings, info, time.perf_counter())


def embed_texts(values: Sequence[str], *, are_tags: bool = False) -> Flow[NDArray[np.float32]]:
    """Embed texts, in as many requests as their number needs."""
    checked = checked_texts("texts", values)
    parts: list[NDArray[np.float32]] = []
    for first in range(0, len(checked), TEXTS_PER_REQUEST):
        batch = checked[first : first + TEXTS_PER_REQUEST]
        inputs = {"TEXTS": texts(batch)[:, None]}
        if are_tags:
            inputs["ARE_TAGS"] = np.ones((len(batch), 1), np.bool_)
        tensors = yield Infer("siglip_text", inputs, ("EMBEDDINGS",))
        width = parts[0].shape[1] if parts else ANY
        parts.append(take(tensors, "EMBEDDINGS", (len(batch), width), NUMBERS))
    return np.concatenate(parts)


def server_details() -> Flow[ServerDetails]:
    """Return what the server analyses videos with, and what it offers."""
    tensors = yield Infer("server_info", {}, brief=True)
    return parse_details(tensors)


def is_ready(model: str | None) -> Flow[bool]:
    """Return whether the server or a model is ready; a server that does not answer is not."""
    try:
        ready = yield AskReady(model)
    except (ServerUnavailable, RequestTimeout):
        return False
    except TlsFailed:
        raise  # it is not known
    except RequestError:
        if model is None:
            raise
        return False  # the server is there and does not know the model
    return bool(ready)


def server_info(server: Server) -> Flow[ServerInfo]:
    """Return the name and version of the server, requested once."""
    info = server.info  # read once: another thread may forget it meanwhile
    if info is None:
        info = yield AskServerInfo()
        server.info = info
    return info


def _whole_video(server: Server, model: str, request: VideoRequest) -> Flow[Infer]:
    video = yield from video_inputs(server, request.source)
    inputs = {**video, **request.inputs.everything()}
    return Infer(model, inputs, request_id=request.stream_id)


def video_inputs(server: Server, source: Video) -> Flow[dict[str, NDArray[Any]]]:
    """Return the input tensor of a video: its name if the server can read it, else its bytes."""
    if isinstance(source, Reference):
        # A file's name may hold bytes that are not UTF-8, a URI may not.
        name = source.text if is_uri(source.text) else os.fsencode(source.text)
        return {"VIDEO": texts([name], "VIDEO")}
    if isinstance(source, Upload):
        return {"VIDEO_DATA": texts([source.data])}
    media_root_id = yield from _media_root_id(server)
    if path := _path_in_folder(source.path, media_root_id):
        return {"VIDEO": texts([os.fsencode(path)])}
    data = yield ReadFile(source.path)
    return {"VIDEO_DATA": texts([data])}


def _media_root_id(server: Server) -> Flow[str]:
    """Return the identity of the media folder; "" if it is not on this machine, or not known."""
    if not server.address.is_loopback:
        return ""
    if server.media_root_id is None:
        try:
            parameters = yield AskParameters("video_analysis")
        except (ServerUnavailable, RequestTimeout):
            raise
        except RequestError:  # not readable, or not by this client
            parameters = {}
        server.media_root_id = parameters.get(MEDIA_ROOT_ID, "")
    return server.media_root_id


def _path_in_folder(path: Path, folder_id: str) -> Path | None:
    """Return a path relative to the parent folder with this identity; None if no parent has it.

    A server on loopback may run in a container or behind a forwarded port, and have another folder
    of the same name. The folder is the same if its inode is the same since the same boot.
    """
    try:
        boot = BOOT_ID.read_text().strip()
        for folder in path.parents:
            status = folder.stat()
            if folder_id == f"{boot}:{status.st_dev}:{status.st_ino}":
                return path.relative_to(folder)
    except OSError:  # closed to this user
        pass
    return None


def _ms_since(began_seconds: float) -> float:
    return (time.perf_counter() - began_seconds) * 1e3
