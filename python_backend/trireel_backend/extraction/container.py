# SPDX-License-Identifier: Apache-2.0
"""Opening a file, choosing its video stream, and what the file says of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo
from trireel_backend.plan import MIN_CHUNK_SECONDS

# Containers that hold pictures themselves. Playlists (hls, concat, dash) are not among them: they
# name other files, and a file that comes from outside must not choose what is read here.
DEMUXERS = (
    "mov,mp4,m4a,3gp,3g2,mj2",
    "matroska,webm",
    "avi",
    "mpegts",
    "mpeg",
    "mpegvideo",
    "flv",
    "ogg",
    "asf",
    "h264",
    "hevc",
    "av1",
    "obu",
    "ivf",
    "m4v",
    "mjpeg",
    "mxf",
    "gif",
    "webp",
    "apng",
    "png_pipe",
    "jpeg_pipe",
    "webp_pipe",
    "bmp_pipe",
    "tiff_pipe",
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)}
# Its duration comes from a table of all frames; elsewhere it is an estimate from a few times.
DEMUXER_WITH_FRAME_TABLE = "mov,mp4,m4a,3gp,3g2,mj2"
TRUNCATED_SECONDS = 1.0  # missing at the end, of what the container states, before it is said so
MAX_PIXELS = 8192 * 8192  # of a frame; a bomb is refused before its memory is taken
# Read from their start only: a bare stream has no index and a seek would read it all, and behind a
# seek in a programme stream packets have times of their neighbours.
DEMUXERS_WITHOUT_SEEK = frozenset(
    ("mpeg", "mpegvideo", "h264", "hevc", "m4v", "mjpeg", "av1", "obu", "ivf")
)
RAW_STREAM_RATE = Fraction(25)  # FFmpeg's own, for streams that state neither times nor a rate
DECODER_THREADS = 1  # the most CPU-efficient: other videos keep the other cores busy


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of its video stream, without decoding it."""

    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """From the first frame's PTS to the end of the last that is there."""
    is_complete: bool = True
    """False where the file ends before what its container states."""


@dataclass(frozen=True)
class _End:
    """Where the last frame ends, in seconds, and whether that is what the container states."""

    seconds: float
    is_complete: bool = True


def look(path: Path) -> VideoInfo:
    """Read the start and the length of a video; raises NotAVideo."""
    with damage_is_not_a_video():
        with open_container(path) as container:
            stream = video_stream(container)
            start_seconds = stream_start_seconds(container, stream)
            end = _end_by_frame_table(container, stream) or _end_by_last_packets(container, stream)
        if end is None:
            with open_container(path) as container:
                end = _end_by_all_packets(container, video_stream(container))
    # A still picture, or a single frame, may state no duration: it stands for a moment.
    duration_seconds = max(MIN_CHUNK_SECONDS, end.seconds - start_seconds)
    return VideoInfo(start_seconds, duration_seconds, end.is_complete)


@contextmanager
def damage_is_not_a_video() -> Iterator[None]:
    """Turn what FFmpeg raises on files nobody could foresee into NotAVideo."""
    try:
        yield
    except (av.error.FFmpegError, MemoryError, IndexError, OverflowError, ValueError) as error:
        raise NotAVideo(
            f"the file is damaged or of a kind that cannot be decoded ({type(error).__name__})"
        ) from error


def open_container(path: Path) -> InputContainer:
    """Open a file with the demuxers and the protocol that are allowed; raises NotAVideo."""
    try:
        return av.open(str(path), container_options=OPEN_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise NotAVideo(
            "the file is not a video: no container or picture format was recognised in it"
        ) from error


def video_stream(container: InputContainer) -> VideoStream:
    """Return the stream a player would show; raises NotAVideo where there is none.

    Cover art is a picture beside the sound, not a video.
    """
    stream = container.streams.best("video")
    if stream is None or stream.disposition & av.stream.Disposition.attached_pic:
        raise NotAVideo("the file holds no video stream")
    assert isinstance(stream, VideoStream)
    if stream.codec_context is None:
        raise NotAVideo("the file's video is of a codec that cannot be decoded here")
    width_px, height_px = stream.codec_context.width, stream.codec_context.height
    if width_px * height_px > MAX_PIXELS:
        raise NotAVideo(
            f"the video is {width_px} x {height_px}: frames of at most {MAX_PIXELS:,} pixels are"
            " decoded"
        )
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # it may change midway
    stream.thread_count = DECODER_THREADS
    return stream


def stream_start_seconds(container: InputContainer, stream: VideoStream) -> float:
    """Return the PTS of the first frame, as the container states it."""
    if stream.start_time is not None:
        return float(stream.start_time * time_base(stream))
    return float(Fraction(container.start_time or 0, av.time_base))


def seek(container: InputContainer, stream: VideoStream, seconds: float) -> bool:
    """Go to the keyframe before a time; tell whether the place is the start of the file.

    A container without seek stays where it is, at its start if it was just opened.
    """
    if container.format.name in DEMUXERS_WITHOUT_SEEK:
        return True
    if seconds > stream_start_seconds(container, stream):
        try:
            container.seek(round(seconds / time_base(stream)), stream=stream)
            return False
        except av.error.FFmpegError:
            pass  # its index is damaged
    # A stream may begin before 0.
    container.seek(min(0, container.start_time or 0), backward=True, any_frame=False)
    return True


def times_are_guessed(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether PTS are not to be believed: AVI has none, and numbers packets as they come."""
    return container.format.name == "avi" and stream.codec_context.has_b_frames


def time_base(stream: VideoStream) -> Fraction:
    """Return the unit of a stream's PTS in seconds; raises NotAVideo where it has none."""
    if stream.time_base is None:
        raise NotAVideo("the file's video stream has no time base")
    return stream.time_base


def frame_rate(stream: VideoStream) -> Fraction:
    """Return the rate at which frames without times follow each other."""
    return stream.average_rate or RAW_STREAM_RATE


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
    if container.duration is None or container.format.name in DEMUXERS_WITHOUT_SEEK:
        return None
    stated_end = (container.start_time or 0) + container.duration
    try:
        container.seek(stated_end)
    except av.error.FFmpegError:
        return None
    end_seconds, last_seconds, _ = _last_ends(container, stream)
    if end_seconds is None:
        return None
    stated_seconds = float(Fraction(stated_end, av.time_base))
    if stream.duration is not None:
        stated_seconds = max(stated_seconds, float(stream.duration * time_base(stream)))
    missing_seconds = stated_seconds - last_seconds
    return _End(end_seconds, is_complete=missing_seconds < TRUNCATED_SECONDS)


def _end_by_all_packets(container: InputContainer, stream: VideoStream) -> _End:
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
