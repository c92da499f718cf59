# SPDX-License-Identifier: Apache-2.0
"""HEIF and AVIF still pictures: tiles put together, alpha beside them, turned upright."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import cast

from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork
from trireel_backend.extraction.picture.planes import tiled, turned, with_alpha
from trireel_backend.extraction.reading.full_decode import TimedFrame
from trireel_backend.extraction.reading.heif import HeifPicture, Layer
from trireel_backend.extraction.reading.opening import (
    DECODER_THREADS,
    VideoFile,
    decode,
    decoder_name,
    open_container,
)
from trireel_backend.extraction.task import VideoInfo
from trireel_backend.plan import MIN_CHUNK_SECONDS

TIME_BASE = Fraction(1, 1000)


def look_at_still(file: VideoFile, picture: HeifPicture) -> VideoInfo:
    """Return what is known of a still picture before it is decoded.

    Raises:
        NotAVideo: a part of it is missing.
        InvalidInput: STREAM_INDEX is not that of the one picture.
        TooMuchWork: it has more pixels than the limits allow.
    """
    if file.stream_index not in (None, 0):
        raise InvalidInput(
            f"STREAM_INDEX is {file.stream_index}: a HEIF or AVIF picture has stream 0"
        )
    with open_container(replace(file, on_gpu=False)) as container:
        streams = _streams(container, picture)
        first = streams[picture.colour.items[0]]
        sizes_px = [(first.codec_context.width, first.codec_context.height)]
        sizes_px += [picture.stated_size_px, picture.colour.size_px or (0, 0)]
        width_px, height_px = max(sizes_px, key=lambda size: size[0] * size[1])
        name = decoder_name(first)
    if width_px * height_px > file.limits.max_frame_pixels:
        raise TooMuchWork(
            f"the picture is {width_px} x {height_px}: pictures of at most"
            f" {file.limits.max_frame_pixels:,} pixels are decoded"
        )
    return VideoInfo(
        start_seconds=0.0,
        duration_seconds=MIN_CHUNK_SECONDS,
        decoder=name,
        frame_pixels=width_px * height_px,
    )


@dataclass(frozen=True)
class StillReader:
    """Finds the one frame of a still picture."""

    file: VideoFile
    picture: HeifPicture
    decoder: str
    """FFmpeg's name of the decoder."""

    def close(self) -> None:
        """There is nothing to close: the file is opened for each chunk."""

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the times, its index and the picture; raises NotAVideo."""
        still = TimedFrame(_decode_still(self.file, self.picture), 0, TIME_BASE)
        for slot in range(len(targets_seconds)):
            yield slot, still

    def every_frame(
        self, start_seconds: float, end_seconds: float
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the picture with its time; raises NotAVideo."""
        yield 0.0, TimedFrame(_decode_still(self.file, self.picture), 0, TIME_BASE)


def _streams(container: InputContainer, picture: HeifPicture) -> dict[int, VideoStream]:
    """Return the stream of each coded item that the picture needs."""
    known = {
        stream.id: stream for stream in container.streams.video if stream.codec_context is not None
    }
    layers = [picture.colour, *([] if picture.alpha is None else [picture.alpha])]
    items = [item for layer in layers for item in layer.items]
    if not known.keys() >= set(items):
        raise NotAVideo("the file is a HEIF or AVIF picture of which parts cannot be decoded here")
    return {item: known[item] for item in items}


def _decode_still(file: VideoFile, picture: HeifPicture) -> VideoFrame:
    # On the CPU: a GPU would start a decoder for every tile, and give frames of another layout.
    with open_container(replace(file, on_gpu=False)) as container:
        streams = _streams(container, picture)
        for stream in streams.values():
            stream.thread_count = DECODER_THREADS
            stream.codec_context.options = {"max_pixels": str(file.limits.max_frame_pixels)}
        frames = _decode_items(container, streams)
    frame = _assembled(picture.colour, frames)
    if picture.alpha is not None:
        frame = with_alpha(frame, _assembled(picture.alpha, frames))
    for turn in picture.turns:
        frame = turned(frame, turn.quarters, turn.mirrors)
    return frame


def _decode_items(
    container: InputContainer, streams: dict[int, VideoStream]
) -> dict[int, VideoFrame]:
    frames: dict[int, VideoFrame] = {}
    for packet in container.demux(*streams.values()):
        stream = packet.stream
        assert isinstance(stream, VideoStream)  # there are no others among them
        if stream.id in frames or not packet.size:
            continue
        codec = stream.codec_context
        decoded = [*(decode(codec, cast("Packet[VideoStream]", packet)) or ())]
        decoded += decode(codec, None) or ()
        if decoded:
            frames[stream.id] = decoded[0]
    missing = len(streams) - len(frames)
    if missing:
        raise NotAVideo(
            f"the picture is damaged: {missing} of its {len(streams)} parts cannot be decoded"
        )
    return frames


def _assembled(layer: Layer, frames: dict[int, VideoFrame]) -> VideoFrame:
    tiles = [frames[item] for item in layer.items]
    if layer.size_px is None:
        return tiles[0]
    return tiled(tiles, layer.columns, layer.size_px)
