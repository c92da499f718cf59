# SPDX-License-Identifier: Apache-2.0
"""What a file says of its video, without decoding it."""

from dataclasses import dataclass, replace
from fractions import Fraction

import av
import numpy as np
from av.container import InputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from trireel_backend.errors import NotAVideo, TooMuchWork
from trireel_backend.extraction.reading.opening import (
    OpenedVideo,
    VideoFile,
    can_seek,
    decoder_name,
    frame_rate,
    stream_start_seconds,
    time_base,
    times_are_guessed,
)
from trireel_backend.extraction.reading.rate import measured_rate, stated_rate
from trireel_backend.extraction.reading.streams import video_stream_indices
from trireel_backend.extraction.reading.timeline import (
    DEMUXER_WITH_FRAME_TABLE,
    Packets,
    may_read_packets,
    read_packets,
)
from trireel_backend.extraction.task import SQUARE_PIXELS, FrameRate, VideoInfo
from trireel_backend.plan import LEAST_STILL_SECONDS, MIN_CHUNK_SECONDS, NO_STILLS, Stills

# What they state as the duration is the end of the last frame, wherever the first one is.
DEMUXERS_THAT_COUNT_FROM_ZERO = ("matroska,webm", DEMUXER_WITH_FRAME_TABLE)
TRUNCATED_SECONDS = 1.0  # missing at the end, of what the container states, before it is said so
SOUND_ALONE_SECONDS = 2.0  # more than streams end apart by chance: the last picture stands on
# They end at the place at which another file was put behind the first. A small index may follow.
DEMUXERS_OF_ONE_RECORDING, LEAST_READ_SHARE = ("flv", "asf"), 0.9
MOST_APART_SECONDS = 0.5  # of a table of frames and a header; edit lists and lies tell more
MOST_PIXEL_ASPECT = 16  # a file that states more lies
LEAST_FRAME_BYTES = 8  # of a packet with its share of the container: no file has more frames


@dataclass(frozen=True)
class Look:
    """What a look at a file found."""

    info: VideoInfo
    stills: Stills = NO_STILLS
    """Frames that stand for long; none if they are not known."""
    frames_per_second: float = 0.0
    """Average rate that the file states; 0 if it is unknown."""
    in_order: bool = False
    """A seek would lead astray: packets are to be read from the start on."""
    has_restarts: bool = False
    """Times begin again within the file."""
    begins_midway: bool = False
    """What comes before the first keyframe cannot be decoded."""
    is_cut_up: bool = False
    """An edit list shows several pieces, so that packets do not come in order of their times."""


@dataclass(frozen=True)
class _End:
    """Where the last frame ends, in seconds, and whether that is what the container states."""

    seconds: float
    is_complete: bool = True
    packets: Packets | None = None
    """All of the file's, if they were read."""
    times_seconds: NDArray[np.float64] | None = None
    """Times of all frames by the file's table of frames, if it has one."""


def look(file: VideoFile, opened: OpenedVideo) -> Look:
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
        or _end_by_all_packets(opened)
    )
    packets = end.packets
    if packets is not None and packets.begins_midway:
        start_seconds = packets.first_keyframe_seconds or start_seconds
    info = _info(opened, end, start_seconds)
    _check_work(container, stream, info.duration_seconds, file.limits.max_video_pixels)
    if packets is None:
        return Look(info, frames_per_second=float(frame_rate(stream)))
    # A seek goes past parameter sets that come once; MP4's demuxer tells them after it.
    is_led_astray = (
        packets.has_restarts
        or packets.is_cut_up
        or (packets.has_configurations and container.format.name != DEMUXER_WITH_FRAME_TABLE)
    )
    stills = packets.stills(info.end_seconds)
    return Look(
        info,
        stills,
        float(frame_rate(stream)),
        in_order=is_led_astray,
        has_restarts=packets.has_restarts,
        begins_midway=packets.begins_midway,
        is_cut_up=packets.is_cut_up,
    )


def _info(opened: OpenedVideo, end: _End, start_seconds: float) -> VideoInfo:
    container, stream = opened
    # A still picture, or a single frame, may state no duration: it stands for a moment.
    duration_seconds = max(MIN_CHUNK_SECONDS, end.seconds - start_seconds)
    return VideoInfo(
        start_seconds=start_seconds,
        duration_seconds=duration_seconds,
        is_complete=end.is_complete,
        stream_index=stream.index,
        video_stream_indices=video_stream_indices(container),
        decoder=decoder_name(stream),
        frame_pixels=stream.codec_context.width * stream.codec_context.height,
        frame_rate=_frame_rate(opened, end),
        pixel_aspect=_pixel_aspect(stream),
    )


def _frame_rate(opened: OpenedVideo, end: _End) -> FrameRate:
    container, stream = opened
    average = stream.average_rate or Fraction(0)
    if end.times_seconds is not None:
        # The table has decoding times: as even as the PTS, but of another span if they are not.
        rate = measured_rate(end.times_seconds, time_base(stream), average)
        return replace(rate, fps=average or rate.fps) if rate.is_variable else rate
    if end.packets is not None:
        if end.packets.end_seconds is None or times_are_guessed(container, stream):
            return FrameRate(frame_rate(stream))  # frames without times have a steady rate
        return measured_rate(np.array(end.packets.seconds), time_base(stream), average)
    base = stream.base_rate
    return stated_rate(average, None if base is None else Fraction(*base.as_integer_ratio()))


def _pixel_aspect(stream: VideoStream) -> Fraction:
    aspect = stream.sample_aspect_ratio or SQUARE_PIXELS
    return aspect if 1 / MOST_PIXEL_ASPECT <= aspect <= MOST_PIXEL_ASPECT else SQUARE_PIXELS


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
    """Trust a table of frames that agrees with what the header states, and has no gaps."""
    if container.format.name != DEMUXER_WITH_FRAME_TABLE or not stream.index_entries:
        return None
    unit, times = time_base(stream), []
    for entry in stream.index_entries:
        if entry.pos + entry.size > container.size:  # the file was cut off here
            return _End(float(entry.timestamp * unit), is_complete=False)
        if not entry.is_discard:
            times.append(entry.timestamp)
        elif times:
            return None  # an edit list leaves out something in the middle
    if not times:
        return None
    seconds = np.array(times) * float(unit)
    stated_seconds = float((stream.duration or 0) * unit)
    is_even = np.all(np.abs(np.diff(seconds)) < LEAST_STILL_SECONDS)
    is_as_stated = abs(stated_seconds - (seconds[-1] - seconds[0])) < MOST_APART_SECONDS
    stated_end = float(((stream.start_time or 0) + (stream.duration or 0)) * unit)
    sound_goes_on = _stated_sound_end_seconds(container) > stated_end + SOUND_ALONE_SECONDS
    is_one_picture = len(times) == 1 and bool(container.streams.audio)
    if not (is_even and is_as_stated) or sound_goes_on or is_one_picture:
        return None
    return _End(stated_end, times_seconds=seconds)


def _stated_sound_end_seconds(container: InputContainer) -> float:
    ends = [
        float(((sound.start_time or 0) + (sound.duration or 0)) * sound.time_base)
        for sound in container.streams.audio
        if sound.time_base is not None
    ]
    return max(ends, default=float("-inf"))


def _end_by_last_packets(container: InputContainer, stream: VideoStream) -> _End | None:
    """Read what is behind the last keyframe, of a file that is too large to be read as a whole."""
    stated_end = _stated_end(container)
    if may_read_packets(container) or stated_end is None or not can_seek(container):
        return None
    try:
        container.seek(stated_end)
    except av.error.FFmpegError:
        return None
    packets = read_packets((container, stream))
    if packets.end_seconds is None or packets.has_restarts:
        return None
    missing_seconds = _stated_end_seconds(container, stream) - packets.last_seconds
    return _End(packets.end_seconds, is_complete=missing_seconds < TRUNCATED_SECONDS)


def _end_by_all_packets(opened: OpenedVideo) -> _End:
    container, stream = opened
    packets = read_packets(opened)
    if packets.count == 0:
        raise NotAVideo("the file has a video stream, but there is nothing in it")
    if packets.end_seconds is None:  # a bare elementary stream: its frames come at a steady rate
        return _End(float(packets.count / frame_rate(stream)))
    is_complete = True
    if can_seek(container) and not packets.has_restarts:
        missing_seconds = _stated_end_seconds(container, stream) - packets.last_seconds
        is_complete = missing_seconds < TRUNCATED_SECONDS
    if container.format.name in DEMUXERS_OF_ONE_RECORDING:
        is_complete = is_complete and packets.last_byte >= LEAST_READ_SHARE * container.size
    end_seconds, sound_end_seconds = packets.end_seconds, packets.sound_end_seconds
    sound_goes_on = sound_end_seconds > end_seconds + SOUND_ALONE_SECONDS
    if is_complete and not packets.has_restarts and (sound_goes_on or packets.count == 1):
        end_seconds = max(end_seconds, sound_end_seconds)  # the last picture stands
    return _End(end_seconds, is_complete, packets)


def _stated_end(container: InputContainer) -> int | None:
    """Return the end of the longest stream by the header, in microseconds."""
    if container.duration is None:
        return None
    if container.format.name in DEMUXERS_THAT_COUNT_FROM_ZERO:
        return container.duration
    return container.duration + (container.start_time or 0)


def _stated_end_seconds(container: InputContainer, stream: VideoStream) -> float:
    stated_end = _stated_end(container)
    if stated_end is None:
        return float("-inf")
    stated_seconds = float(Fraction(stated_end, av.time_base))
    if stream.duration is not None and container.format.name != DEMUXER_WITH_FRAME_TABLE:
        start_seconds = stream_start_seconds(container, stream)
        stream_seconds = float(stream.duration * time_base(stream))
        stated_seconds = max(stated_seconds, start_seconds + stream_seconds)
    return stated_seconds
