# SPDX-License-Identifier: Apache-2.0
"""From the answers of `caption_extents` to events: captions, clips, progress, and the report."""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from trireel_client._calls import Infer
from trireel_client._caption_options import CaptionOptions, caption_inputs
from trireel_client._captions import CaptionEvent, CaptionReport, Region
from trireel_client._errors import UnexpectedAnswer
from trireel_client._flows.caption_answers import NO_PROGRESS, clips, progress, screen_captions
from trireel_client._flows.delivered_captions import DeliveredCaptions
from trireel_client._flows.flows import Flow, Server, server_info, video_inputs
from trireel_client._flows.parse import is_aggregate, picture_size, time_base
from trireel_client._flows.tensors import integer, number, numbers
from trireel_client._options import Tensors, utf8
from trireel_client._servers import ServerInfo
from trireel_client._sources import Source, Video, classify
from trireel_schema.captions import CAPTIONS_MODEL

WHOLE_PICTURE: Region = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class CaptionRequest:
    """The request for one video's captions."""

    source: Video
    """Video to read."""
    inputs: Tensors
    """Options as input tensors."""
    stream_id: str
    """Name of the video."""

    @classmethod
    def of(cls, source: Source, options: CaptionOptions, stream_id: str | None) -> "CaptionRequest":
        """Make a request, with a random name if `stream_id` is None; raises TrireelError."""
        inputs = caption_inputs(options)
        name = str(uuid.uuid4()) if stream_id is None else stream_id
        utf8("stream_id", name)
        return cls(classify(source), inputs, name)


def open_captions(server: Server, request: CaptionRequest) -> "Flow[CaptionReader]":
    """Prepare a request whose answers come as captions end."""
    info = yield from server_info(server)
    video = yield from video_inputs(server, request.source)
    call = Infer(CAPTIONS_MODEL, {**video, **request.inputs}, request_id=request.stream_id)
    return CaptionReader(call, info)


class CaptionReader:
    """Reads the answers of one request, however many streams they come from.

    A stream that is opened again begins with the first caption. Captions and clips that the caller
    has are left out then.
    """

    def __init__(self, call: Infer, server: ServerInfo) -> None:
        self.call = call
        """Call that opens a stream."""
        self.began_seconds = time.perf_counter()
        """Time of the request on this machine's monotonic clock."""
        self.has_whole = False
        """True after the report."""
        self._server = server
        self._delivered = DeliveredCaptions()
        self._progress = NO_PROGRESS
        self._region: Region = WHOLE_PICTURE

    def begin_stream(self) -> None:
        """Expect the answers from the first on."""
        self._delivered.begin_stream()

    def read(self, tensors: Tensors) -> Sequence[CaptionEvent]:
        """Return the events of one answer that are new to the caller; raises UnexpectedAnswer."""
        self._progress = progress(tensors, self._progress)
        if "REGION" in tensors:
            left, top, width, height = numbers(tensors, "REGION", 4)
            self._region = (left, top, width, height)
        captions = filter(self._delivered.is_new_caption, screen_captions(tensors))
        new_clips = filter(self._delivered.is_new_clip, clips(tensors))
        events: list[CaptionEvent] = [*captions, *new_clips]
        if not is_aggregate(tensors):
            return [*events, self._progress]
        self._delivered.check_whole()
        self.has_whole = True
        return [*events, self._report(tensors)]

    def check_end(self) -> None:
        """Check that the stream ended with the report; raises UnexpectedAnswer."""
        if not self.has_whole:
            raise UnexpectedAnswer("the stream ended before the report of the whole video")

    def _report(self, tensors: Tensors) -> CaptionReport:
        return CaptionReport(
            stream_id=self.call.request_id,
            start_seconds=number(tensors, "VIDEO_START_SECONDS"),
            duration_seconds=number(tensors, "VIDEO_DURATION_SECONDS"),
            time_base=time_base(tensors),
            region=self._region,
            picture_size_px=picture_size(tensors),
            is_complete="IS_COMPLETE" not in tensors or bool(integer(tensors, "IS_COMPLETE")),
            num_captions=self._delivered.num_captions,
            num_clips=self._delivered.num_clips,
            num_clip_frames=self._delivered.num_clip_frames,
            stages=self._progress.stages,
            server=self._server,
            client_ms=(time.perf_counter() - self.began_seconds) * 1e3,
        )
