# SPDX-License-Identifier: Apache-2.0
"""Opening a file and its video stream, and going to a place in it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.packet import Packet
from av.rational import AVRational
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo, TooMuchWork
from trireel_backend.extraction.limits import ExtractionLimits
from trireel_backend.extraction.reading.photographs import jpeg_of
from trireel_backend.extraction.reading.streams import choose_stream

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
# Read from their start only: a bare stream has no index and a seek would read it all, and behind a
# seek in a programme stream packets have times of their neighbours.
DEMUXERS_WITHOUT_SEEK = frozenset(
    ("mpeg", "mpegvideo", "h264", "hevc", "m4v", "mjpeg", "av1", "obu", "ivf")
)
# It hands out the palette with the first packet of a file newly opened, and not after a seek.
DEMUXER_OF_ONE_PALETTE, PALETTE = "mov,mp4,m4a,3gp,3g2,mj2", "pal8"
RAW_STREAM_RATE = Fraction(25)  # FFmpeg's own, for streams that state neither times nor a rate
FIRST_BACK_OFF_SECONDS = 1.0
DECODER_THREADS = 1  # the most CPU-efficient: other videos keep the other cores busy
HARDWARE = "cuda"  # NVDEC, by FFmpeg's name


@dataclass(frozen=True)
class VideoFile:
    """A file and how it is opened."""

    path: Path
    stream_index: int | None = None
    """Of the video stream, None for the one a player would show."""
    on_gpu: bool = False
    """Decode with NVDEC if it supports the codec."""
    limits: ExtractionLimits = field(default_factory=ExtractionLimits)
    in_order: bool = False
    """Packets are read from the start of the file on; a look found that a seek leads astray."""
    has_restarts: bool = False
    """Times begin again within the file; they are made to go on."""
    begins_midway: bool = False
    """What comes before the first keyframe cannot be decoded, and is left out."""
    is_cut_up: bool = False
    """An edit list shows several pieces: only a full decode tells which frames come out."""


OpenedVideo = tuple[InputContainer, VideoStream]


@contextmanager
def damage_is_not_a_video() -> Iterator[None]:
    """Turn what FFmpeg raises on files nobody could foresee into NotAVideo or TooMuchWork."""
    try:
        yield
    except MemoryError as error:
        raise TooMuchWork(
            "decoding the video takes more memory than one may have: scale it down"
        ) from error
    except (av.error.FFmpegError, IndexError, OverflowError, ValueError) as error:
        raise NotAVideo(
            f"the file is damaged or of a kind that cannot be decoded ({type(error).__name__})"
        ) from error


@cache
def gpu_decodes() -> bool:
    """Tell whether there is a GPU whose decoder FFmpeg can use; found out once a process."""
    try:
        HWAccel(HARDWARE).create(av.Codec("h264", "r"))
    except (av.error.FFmpegError, NotImplementedError):
        return False
    return True


def open_container(file: VideoFile) -> InputContainer:
    """Open a file with the demuxers and the protocol that are allowed.

    Raises:
        NotAVideo: it is no container or picture that is read here.
    """
    hardware = HWAccel(HARDWARE) if file.on_gpu and gpu_decodes() else None
    jpeg = jpeg_of(file.path)
    try:
        return av.open(
            str(file.path) if jpeg is None else jpeg.source(file.path),
            mode="r",
            format=None if jpeg is None else jpeg.demuxer,
            container_options=OPEN_OPTIONS,
            metadata_errors="replace",  # a title in another encoding is no reason to reject a video
            hwaccel=hardware,
        )
    except (av.error.FFmpegError, ValueError) as error:
        raise NotAVideo(
            "the file is not a video: no container or picture format was recognised in it"
        ) from error


def open_video(file: VideoFile) -> OpenedVideo:
    """Open a file as `open_container` does, and choose its stream.

    Raises:
        NotAVideo: nothing in it can be decoded here.
        InvalidInput: it has no video stream of the wanted index.
        TooMuchWork: its frames are too large.
    """
    container = open_container(file)
    try:
        return container, _video_stream(container, file)
    except BaseException:
        container.close()
        raise


@contextmanager
def opened_video(file: VideoFile) -> Iterator[OpenedVideo]:
    """Open a video, as `open_video` does, for the length of the context."""
    container, stream = open_video(file)
    with container:
        yield container, stream


def _video_stream(container: InputContainer, file: VideoFile) -> VideoStream:
    stream = choose_stream(container, file.path, file.stream_index)
    width_px, height_px = stream.codec_context.width, stream.codec_context.height
    most = file.limits.max_frame_pixels
    if width_px * height_px > most:
        raise TooMuchWork(
            f"the video is {width_px} x {height_px}: frames of at most {most:,} pixels are decoded"
        )
    stream.codec_context.options = {"max_pixels": str(most)}  # it may change midway
    stream.thread_count = DECODER_THREADS
    return stream


def decoder_name(stream: VideoStream) -> str:
    """Return the decoder's name as FFmpeg has it, with ` (cuda)` if NVDEC did the work."""
    codec = stream.codec_context
    on_gpu = codec.is_hwaccel and codec.pix_fmt == HARDWARE
    return f"{codec.codec.name} ({HARDWARE})" if on_gpu else codec.codec.name


def stream_start_seconds(container: InputContainer, stream: VideoStream) -> float:
    """Return the PTS of the first frame, as the container states it."""
    if stream.start_time is not None:
        return float(stream.start_time * time_base(stream))
    return float(Fraction(container.start_time or 0, av.time_base))


def can_seek(container: InputContainer) -> bool:
    """Tell whether `seek` leads anywhere."""
    return container.format.name not in DEMUXERS_WITHOUT_SEEK


def seek(container: InputContainer, stream: VideoStream, seconds: float) -> bool:
    """Go to the keyframe before a time; tell whether that was possible.

    Where it was not, the way to the frame leads from the start of a file newly opened: seeking
    there fails in streams that begin before 0.
    """
    if not can_seek(container) or seconds <= stream_start_seconds(container, stream):
        return False
    if container.format.name == DEMUXER_OF_ONE_PALETTE and stream.codec_context.pix_fmt == PALETTE:
        return False
    try:
        container.seek(round(seconds / time_base(stream)), stream=stream)
    except av.error.FFmpegError:
        return False  # its index is damaged
    return True


def further_back(back_off_seconds: float) -> float:
    """Return how much earlier to seek if a seek with this back-off ended too late."""
    return max(FIRST_BACK_OFF_SECONDS, back_off_seconds * 4)


def decode(
    codec: VideoCodecContext, packet: "Packet[VideoStream] | None"
) -> Sequence[VideoFrame] | None:
    """Return the frames that a decoder returns, None if it cannot decode the packet.

    Raises:
        MemoryError: that is not the packet's fault.
    """
    try:
        return codec.decode(packet)
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError:
        return None


def times_are_guessed(container: InputContainer, stream: VideoStream) -> bool:
    """Tell whether PTS are not to be believed: AVI has none, and numbers packets as they come."""
    return container.format.name == "avi" and stream.codec_context.has_b_frames


def time_base(stream: VideoStream) -> Fraction:
    """Return the unit of a stream's PTS in seconds; raises NotAVideo if it has none."""
    if stream.time_base is None:
        raise NotAVideo("the file's video stream has no time base")
    return stream.time_base


def frame_rate(stream: VideoStream) -> Fraction:
    """Return the rate at which frames without times follow each other."""
    return stream.average_rate or RAW_STREAM_RATE


def nominal_rate(stream: VideoStream) -> Fraction:
    """Return the rate at which frames follow each other, gaps left out."""
    rate = RAW_STREAM_RATE if stream.average_rate is None else _exact(stream.average_rate)
    return rate if stream.base_rate is None else max(rate, _exact(stream.base_rate))


def _exact(rate: Fraction | AVRational) -> Fraction:
    return Fraction(rate.numerator, rate.denominator)
