# SPDX-License-Identifier: Apache-2.0
"""What a client does, without doing it: generators of calls, the same for blocking and async.

A flow yields a call, is sent its answer, and returns a result; whoever runs it makes the calls.
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
from trireel_client._flows.parse import (
    ANY,
    NUMBERS,
    is_aggregate,
    parse_analysis,
    parse_chunk,
    take,
)
from trireel_client._options import (
    AnalysisOptions,
    Inputs,
    Tensors,
    analysis_inputs,
    checked_texts,
    texts,
    utf8,
)
from trireel_client._results import Analysis, ChunkAnalysis, ServerInfo
from trireel_client._sources import Reference, Source, Upload, Video, classify, is_uri

T = TypeVar("T")
Flow = Generator[ServerCall | ReadFile, Any, T]

TEXTS_PER_REQUEST = 64  # siglip_text's largest batch
# Parameters of video_analysis: the folder it reads paths from, and what that has on its machine.
MEDIA_ROOT, MEDIA_ROOT_ID = "media_root", "media_root_id"
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass
class Server:
    """What is known of a server, until one of its errors puts it in doubt."""

    address: Address
    """Where it is."""
    info: ServerInfo | None = None
    """Who it is."""
    media_root: Path | None = None
    """The folder it reads from, where that is on this machine."""
    media_root_asked: bool = False
    """None in `media_root` is its answer."""

    def forget(self) -> None:
        """Ask again next time: another server may have taken its place."""
        self.info, self.media_root, self.media_root_asked = None, None, False


@dataclass(frozen=True)
class VideoRequest:
    """One whole video and what is asked of it."""

    source: Video
    """The video."""
    inputs: Inputs
    """What is asked."""
    stream_id: str
    """The caller's name for it."""

    @classmethod
    def of(cls, source: Source, options: AnalysisOptions, stream_id: str | None) -> "VideoRequest":
        """Make a request, with a name of its own where none is given; raises TrireelError."""
        inputs = analysis_inputs(options)
        name = str(uuid.uuid4()) if stream_id is None else stream_id
        utf8("stream_id", name)
        return cls(classify(source), inputs, name)


@dataclass(frozen=True)
class OpenStream:
    """A streaming request, ready to be sent, and the reader of its answers."""

    call: Infer
    """What to send."""
    server: ServerInfo
    """Who answers."""
    began_seconds: float
    """When, on this machine's monotonic clock."""

    def read(self, tensors: Tensors) -> ChunkAnalysis | Analysis:
        """Return what one answer says."""
        if not is_aggregate(tensors):
            return parse_chunk(tensors)
        return parse_analysis(
            tensors,
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
    info = yield from _server_info(server)
    call = yield from _whole_video(server, "video_analysis", request)
    began_seconds = time.perf_counter()
    tensors = yield call
    return parse_analysis(
        tensors,
        stream_id=request.stream_id,
        server=info,
        client_ms=_ms_since(began_seconds),
    )


def open_stream(server: Server, request: VideoRequest) -> Flow[OpenStream]:
    """Prepare a request that is answered chunk by chunk."""
    info = yield from _server_info(server)
    call = yield from _whole_video(server, "video_analysis_stream", request)
    return OpenStream(call, info, time.perf_counter())


def embed_texts(values: Sequence[str]) -> Flow[NDArray[np.float32]]:
    """Embed texts, in as many requests as their number asks for."""
    checked = checked_texts("texts", values)
    parts: list[NDArray[np.float32]] = []
    for first in range(0, len(checked), TEXTS_PER_REQUEST):
        batch = checked[first : first + TEXTS_PER_REQUEST]
        tensors = yield Infer("siglip_text", {"TEXTS": texts(batch)[:, None]}, ("EMBEDDINGS",))
        width = parts[0].shape[1] if parts else ANY
        parts.append(take(tensors, "EMBEDDINGS", (len(batch), width), NUMBERS))
    return np.concatenate(parts)


def is_ready(model: str | None) -> Flow[bool]:
    """Ask for readiness; a server that does not answer is not ready."""
    try:
        ready = yield AskReady(model)
    except (ServerUnavailable, RequestTimeout):
        return False
    except TlsFailed:
        raise  # nobody can tell
    except RequestError:
        if model is None:
            raise
        return False  # the server is there and does not know the model
    return bool(ready)


def _server_info(server: Server) -> Flow[ServerInfo]:
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
    """Return the tensor that stands for a video: a name where the server can follow it."""
    if isinstance(source, Reference):
        # A file's name may hold bytes that are not UTF-8, a URI may not.
        name = source.text if is_uri(source.text) else os.fsencode(source.text)
        return {"VIDEO": texts([name], "VIDEO")}
    if isinstance(source, Upload):
        return {"VIDEO_DATA": texts([source.data])}
    media_root = yield from _media_root(server)
    if media_root is not None and source.path.is_relative_to(media_root):
        return {"VIDEO": texts([os.fsencode(source.path)])}
    data = yield ReadFile(source.path)
    return {"VIDEO_DATA": texts([data])}


def _media_root(server: Server) -> Flow[Path | None]:
    """Return the folder that server and client share, None where there is none to be known."""
    if server.address.is_loopback and not server.media_root_asked:
        try:
            parameters = yield AskParameters("video_analysis")
        except (ServerUnavailable, RequestTimeout):
            raise
        except RequestError:  # not published, or not to this client
            parameters = {}
        server.media_root = _shared_folder(
            parameters.get(MEDIA_ROOT, ""), parameters.get(MEDIA_ROOT_ID, "")
        )
        server.media_root_asked = True
    return server.media_root


def _shared_folder(path: str, folder_id: str) -> Path | None:
    """Return a folder of the server's if this process sees the same.

    A server on loopback may be in a container, or behind a forwarded port, and have another folder
    of that name: the same is the same inode, since the same boot.
    """
    try:
        root = Path(path).resolve()
        status, boot = root.stat(), BOOT_ID.read_text().strip()
        is_same = folder_id == f"{boot}:{status.st_dev}:{status.st_ino}"
        return root if Path(path).is_absolute() and is_same else None
    except (OSError, ValueError, RuntimeError):  # not a path here, or closed to this user
        return None


def _ms_since(began_seconds: float) -> float:
    return (time.perf_counter() - began_seconds) * 1e3
