# SPDX-License-Identifier: Apache-2.0
"""What a file says of its video, without decoding it."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo, TooMuchWork
from trireel_backend.extraction.reading.opening import (
    OpenedVideo,
    VideoFile,
    can_seek,
    decoder_name,
    frame_rate,
    opened_video,
    stream_start_seconds,
    time_base,
    video_stream_indices,
)
from trireel_backend.extraction.task import VideoInfo
from trireel_backend.plan import MIN_CHUNK_SECONDS

# Its duration comes from a table of all frames; elsewhere it is an estimate from a few times.
DEMUXER_WITH_FRAME_TABLE = "mov,mp4,m4a,3gp,3g2,mj2"
# What they state as the duration is the end of the last frame, wherever the first one is.
DEMUXERS_THAT_COUNT_FROM_ZERO = ("matroska,webm",)
TRUNCATED_SECONDS = 1.0  # missing at the end, of what the container states, before it is said so
LEAST_FRAME_BYTES = 8  # of a packet with its share of the container: no file has more frames


@dataclass(frozen=True)
class _End:
    """Where the last frame ends, in seconds, and whether that is what the container states."""

    seconds: float
    is_complete: bool = True


def look(file: VideoFile, opened: OpenedVideo) -> VideoInfo:
    """Read the start and the length of a video.

    Args:
        opened: the file, which is left wherever the look ended.

    Raises:
        NotAVideo: it is damaged, or there is nothing in it.
        TooMuchWork: it has more pixels than the limits allow.
    """
    container, stream = opened
    start_seconds = stream_start_seconds(container, stream)
    end = (
        _end_by_frame_table(container, stream)
        or _end_by_last_packets(container, stream)
        or _end_by_all_packets(file)
    )
    # A still picture, or a single frame, may state no duration: it stands for a moment.
    duration_seconds = max(MIN_CHUNK_SECONDS, end.seconds - start_seconds)
    _check_work(container, stream, duration_seconds, file.limits.max_video_pixels)
    return VideoInfo(
        start_seconds=start_seconds,
        duration_seconds=duration_seconds,
        is_complete=end.is_complete,
        stream_index=stream.index,
        video_stream_indices=video_stream_indices(container),
        decoder=decoder_name(stream),
        frame_pixels=stream.codec_context.width * stream.codec_context.height,
    )


def _check_work(
    container: InputContainer, stream: VideoStream, seconds: float, max_pixels: int
) -> None:
    """Refuse a video that would take days to decode, by what the file states."""
    stated_frames = stream.frames or float(frame_rate(stream)) * seconds
    frames = min(stated_frames, container.size / LEAST_FRAME_BYTES)
    width_px, height_px = stream.codec_context.width, stream.codec_context.height
    pixels = width_px * height_px * frames
    if pixels > max_pixels:
        raise TooMuchWork(
            f"the video has {frames:,.0f} frames of {width_px} x {height_px} in {seconds:,.0f} s,"
            f" {pixels:.3g} pixels: at most {max_pixels:.3g} are decoded of one video; cut it into"
            " parts, or scale it down"
        )


def _end_by_frame_table(container: InputContainer, stream: VideoStream) -> _End | None:
    if stream.duration is None or container.format.name != DEMUXER_WITH_FRAME_TABLE:
        return None
    for entry in stream.index_entries:
        if entry.pos + entry.size > container.size:  # the file was cut off here
            return _End(float(entry.timestamp * time_base(stream)), is_complete=False)
    return _End(float(((stream.start_time or 0) + stream.duration) * time_base(stream)))


def _end_by_last_packets(container: InputContainer, stream: VideoStream) -> _End | None:
    """Read what is behind the last keyframe, where the container can be sought in.

    What it states itself is an estimate, or a total with the longest of its streams.
    """
    if container.duration is None or not can_seek(container):
        return None
    stated_end = container.duration
    if container.format.name not in DEMUXERS_THAT_COUNT_FROM_ZERO:
        stated_end += container.start_time or 0
    try:
        container.seek(stated_end)
    except av.error.FFmpegError:
        return None
    end_seconds, last_seconds, _ = _last_ends(container, stream)
    if end_seconds is None:
        return None
    stated_seconds = float(Fraction(stated_end, av.time_base))
    if stream.duration is not None:
        start_seconds = stream_start_seconds(container, stream)
        stream_seconds = float(stream.duration * time_base(stream))
        stated_seconds = max(stated_seconds, start_seconds + stream_seconds)
    missing_seconds = stated_seconds - last_seconds
    return _End(end_seconds, is_complete=missing_seconds < TRUNCATED_SECONDS)


def _end_by_all_packets(file: VideoFile) -> _End:
    with opened_video(file) as (container, stream):
        end_seconds, _, count = _last_ends(container, stream)
        if count == 0:
            raise NotAVideo("the file has a video stream, but there is nothing in it")
        if end_seconds is None:  # a bare elementary stream: its frames come at a steady rate
            return _End(float(count / frame_rate(stream)))
        return _End(end_seconds)


def _length(packet: "Packet[Any]", stream: VideoStream, is_video: bool) -> Fraction:
    """Return how long a packet lasts; transport streams do not say, so a frame's time it is."""
    if packet.duration and packet.time_base is not None:
        return packet.duration * packet.time_base
    return 1 / frame_rate(stream) if is_video else Fraction(0)


def _last_ends(container: InputContainer, stream: VideoStream) -> tuple[float | None, float, int]:
    """Return where the stream ends, where the last of all streams does, and its packets' number."""
    end_seconds, last_seconds, count = None, float("-inf"), 0
    for packet in container.demux():
        is_video = packet.stream_index == stream.index
        count += is_video and packet.size > 0
        time = packet.dts if packet.pts is None else packet.pts
        if time is None or packet.time_base is None:
            continue
        packet_end = float(time * packet.time_base + _length(packet, stream, is_video))
        last_seconds = max(last_seconds, packet_end)
        if is_video:
            end_seconds = packet_end if end_seconds is None else max(end_seconds, packet_end)
    return end_seconds, last_seconds, count
