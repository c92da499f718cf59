# SPDX-License-Identifier: Apache-2.0
"""Sampling frames from a video file with FFmpeg's libraries (PyAV).

A sampled frame is the one on screen at the middle of its slot, and its time is its own PTS.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trireel_backend.errors import NotAVideo
from trireel_backend.plan import MIN_CHUNK_SECONDS, Chunk, slot_middles

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
    "webp_anim",
    "apng",
    "png_pipe",
    "jpeg_pipe",
    "webp_pipe",
    "bmp_pipe",
)
OPEN_OPTIONS = {"protocol_whitelist": "file", "format_whitelist": ",".join(DEMUXERS)}
FIRST_BACK_OFF_SECONDS = 1.0
DECODER_THREADS = 1  # the most CPU-efficient: other videos keep the other cores busy


@dataclass(frozen=True)
class VideoInfo:
    """What a file says of its video stream, without decoding it."""

    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    """From the first frame's PTS to the end of the last."""


@dataclass(frozen=True)
class Frames:
    """Frames sampled from one chunk."""

    pixels: NDArray[np.uint8]
    """[f, S, S, 3] RGB, the whole picture squashed to the square."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of each frame."""


def look(path: Path) -> VideoInfo:
    """Read the start and the length of a video; raises NotAVideo."""
    with _opened(path) as container:
        return _info(container, _video_stream(container))


def sample_chunk(path: Path, chunk: Chunk, num_frames: int, size_px: int) -> Frames:
    """Decode the frames on screen at the middles of a chunk's `num_frames` slots.

    Where the chunk holds fewer frames than slots, a frame stands in several of them.

    Raises:
        NotAVideo: nothing could be decoded.
    """
    targets = slot_middles(chunk.start_seconds, chunk.duration_seconds, num_frames)
    pixels = np.empty((num_frames, size_px, size_px, 3), np.uint8)
    timestamps = np.empty(num_frames, np.float64)
    with _opened(path) as container:
        stream = _video_stream(container)
        previous: VideoFrame | None = None
        for slot, frame in enumerate(_frames_on_screen(container, stream, targets)):
            if frame is previous:
                pixels[slot] = pixels[slot - 1]
            else:
                pixels[slot] = _square(frame, size_px)
            timestamps[slot] = _seconds(frame)
            previous = frame
    return Frames(pixels, timestamps)


def _frames_on_screen(
    container: InputContainer, stream: VideoStream, targets: NDArray[np.float64]
) -> Iterator[VideoFrame]:
    """Yield, for each of the ascending target times, the last frame that is not after it."""
    current: VideoFrame | None = None
    pending = list(targets)
    for frame in _decoded_from(container, stream, float(targets[0])):
        if current is not None:
            while pending and _seconds(frame) > pending[0]:
                yield current
                pending.pop(0)
        if not pending:
            return
        current = frame
    if current is None:
        raise NotAVideo("the file has a video stream, but no frame of it could be decoded")
    for _ in pending:  # the video ends before these: its last frame stays on screen
        yield current


def _decoded_from(
    container: InputContainer, stream: VideoStream, target_seconds: float
) -> Iterator[VideoFrame]:
    """Decode from the keyframe that a frame at `target_seconds` needs, in order of PTS.

    A seek goes by the container's index, whose entry may be a decoding time after the wanted
    PTS; where the first frame decoded is too late, an earlier entry is tried.
    """
    back_off_seconds = 0.0
    while True:
        from_seconds = target_seconds - back_off_seconds
        at_start = from_seconds <= _stream_start_seconds(stream)
        _seek(container, stream, from_seconds, at_start)
        frames = _decoded(container, stream)
        first = next(frames, None)
        if at_start or (first is not None and _seconds(first) <= target_seconds):
            break
        back_off_seconds = max(FIRST_BACK_OFF_SECONDS, back_off_seconds * 4)
    if first is not None:
        yield first
    yield from frames


def _seek(container: InputContainer, stream: VideoStream, seconds: float, at_start: bool) -> None:
    if at_start:
        container.seek(0, backward=True, any_frame=False)
    else:
        container.seek(round(seconds / _time_base(stream)), stream=stream)


def _decoded(container: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    """Decode what follows; a damaged packet is passed over, as a player would."""
    for packet in container.demux(stream):
        try:
            frames: Sequence[VideoFrame] = packet.decode()
        except av.error.InvalidDataError:
            continue
        yield from (frame for frame in frames if frame.pts is not None)


def _square(frame: VideoFrame, size_px: int) -> NDArray[np.uint8]:
    picture = frame.reformat(size_px, size_px, format="rgb24", interpolation="BICUBIC")
    return np.asarray(picture.to_ndarray(), np.uint8)


def _opened(path: Path) -> InputContainer:
    try:
        return av.open(str(path), container_options=OPEN_OPTIONS)
    except (av.error.FFmpegError, ValueError) as error:
        raise NotAVideo(
            "the file is not a video: no container or picture format was recognised in it"
        ) from error


def _video_stream(container: InputContainer) -> VideoStream:
    stream = container.streams.best("video")
    if stream is None or stream.disposition & av.stream.Disposition.attached_pic:
        raise NotAVideo("the file holds no video stream")
    assert isinstance(stream, VideoStream)
    stream.thread_count = DECODER_THREADS
    return stream


def _info(container: InputContainer, stream: VideoStream) -> VideoInfo:
    start_seconds = _stream_start_seconds(stream)
    if stream.duration is not None:
        duration_seconds = float(stream.duration * _time_base(stream))
    else:
        duration_seconds = _end_by_packets(container, stream) - start_seconds
    # A still picture, or a single frame, may state no duration: it stands for a moment.
    return VideoInfo(start_seconds, max(MIN_CHUNK_SECONDS, duration_seconds))


def _end_by_packets(container: InputContainer, stream: VideoStream) -> float:
    """Return where the last frame ends, from packets: some containers state only a total.

    Matroska's counts from 0 whenever the first frame comes, and with the longest of its streams.
    """
    if container.duration is not None:  # only the packets behind the last keyframe are read
        try:
            container.seek((container.start_time or 0) + container.duration)
        except av.error.FFmpegError:
            container.seek(0)
    ends = [
        packet.pts + (packet.duration or 0)
        for packet in container.demux(stream)
        if packet.pts is not None
    ]
    if not ends:
        raise NotAVideo("the file has a video stream, but no frame in it has a time")
    return float(max(ends) * _time_base(stream))


def _stream_start_seconds(stream: VideoStream) -> float:
    return float((stream.start_time or 0) * _time_base(stream))


def _time_base(stream: VideoStream) -> Fraction:
    if stream.time_base is None:
        raise NotAVideo("the file's video stream has no time base")
    return stream.time_base


def _seconds(frame: VideoFrame) -> float:
    if frame.pts is None or frame.time_base is None:
        raise NotAVideo("a frame of the video has no time")
    return float(frame.pts * frame.time_base)
