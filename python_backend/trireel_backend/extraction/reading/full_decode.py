# SPDX-License-Identifier: Apache-2.0
"""The plain way to a frame: decode everything from a keyframe on.

It needs no times from the container and forgives damage, at the price of decoding frames that
nobody asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from av.video.frame import VideoFrame

from trireel_backend.errors import NotAVideo
from trireel_backend.extraction.reading.bitstream import PacketHeaders
from trireel_backend.extraction.reading.clock import Clock
from trireel_backend.extraction.reading.opening import (
    OpenedVideo,
    VideoFile,
    decode,
    frame_rate,
    further_back,
    opened_video,
    seek,
    time_base,
    times_are_guessed,
)


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame and when it comes on screen."""

    frame: VideoFrame
    pts: int
    """In units of the time base."""
    time_base: Fraction
    """In seconds."""

    @property
    def seconds(self) -> float:
        """Its PTS in seconds."""
        return float(self.pts * self.time_base)


class Damage:
    """Where a decoder met packets that it could make nothing of, or no whole frame."""

    def __init__(self) -> None:
        self._seconds: set[float] = set()
        self._from_seconds = float("-inf")

    def begin(self, keyframe_seconds: float) -> None:
        """Note the keyframe that leads to a chunk's first frame: what lies before is forgotten."""
        self._from_seconds = keyframe_seconds
        self._seconds = {seconds for seconds in self._seconds if seconds >= keyframe_seconds}

    def add(self, seconds: float) -> None:
        """Note a packet by its time; met again, it is still one."""
        self._seconds.add(seconds)

    def count(self, end_seconds: float) -> int:
        """Return the number of packets from the chunk's keyframe on, up to its end."""
        return sum(self._from_seconds <= seconds < end_seconds for seconds in self._seconds)


def decode_on_screen(
    file: VideoFile,
    targets_seconds: Sequence[float],
    damage: Damage,
    *,
    keyframes_only: bool = False,
) -> Iterator[TimedFrame]:
    """Yield, for each of the ascending times, the last frame that is not after it.

    Before a video's first frame that is its first, behind its last the last.

    Raises:
        NotAVideo: no frame could be decoded.
    """
    current: TimedFrame | None = None
    pending = list(targets_seconds)
    for frame in _decoded_from(file, pending[0], damage, keyframes_only):
        if current is not None:
            while pending and frame.seconds > pending[0]:
                yield current
                pending.pop(0)
        if not pending:
            return
        current = frame
    if current is None:
        raise NotAVideo("the file has a video stream, but no frame of it could be decoded")
    for _ in pending:
        yield current


def decode_every(
    file: VideoFile,
    start_seconds: float,
    end_seconds: float,
    damage: Damage,
    *,
    keyframes_only: bool = False,
) -> Iterator[TimedFrame]:
    """Yield the frame on screen at the start, then each frame before the end.

    If no frame is before the end, the first one behind it is yielded.

    Raises:
        NotAVideo: no frame could be decoded.
    """
    current: TimedFrame | None = None
    for frame in _decoded_from(file, start_seconds, damage, keyframes_only):
        if current is not None and frame.seconds > start_seconds:
            yield current
        if current is not None and frame.seconds >= end_seconds:
            return
        current = frame
    if current is None:
        raise NotAVideo("the file has a video stream, but no frame of it could be decoded")
    yield current


def _decoded_from(
    file: VideoFile, target_seconds: float, damage: Damage, keyframes_only: bool
) -> Iterator[TimedFrame]:
    """Decode from the keyframe that a frame at a time needs, in order of PTS.

    A seek goes by the file's index, whose entry may be a decoding time after the wanted PTS. If the
    first decoded frame is too late, an earlier entry is tried. If times are guessed, they are right
    only from the start of the file.
    """
    back_off_seconds = 0.0
    while True:
        with opened_video(file) as (container, stream):
            is_fixed = file.in_order or times_are_guessed(container, stream)
            sought = not is_fixed and seek(container, stream, target_seconds - back_off_seconds)
            clock = Clock(container, stream) if file.has_restarts else None
            way = _Way(sought or file.begins_midway, keyframes_only, clock)
            frames = _decoded((container, stream), damage, way)
            first = next(frames, None)
            if not sought or (first is not None and first.seconds <= target_seconds):
                if first is not None:
                    yield first
                yield from frames
                return
        back_off_seconds = further_back(back_off_seconds)


@dataclass(frozen=True)
class _Way:
    """How packets are read and decoded."""

    from_keyframe: bool
    """Leave out what comes before the first keyframe."""
    keyframes_only: bool
    clock: Clock | None
    """Makes times go on if they begin again."""


def _decoded(opened: OpenedVideo, damage: Damage, way: _Way) -> Iterator[TimedFrame]:
    """Decode what follows; a damaged packet is passed over, as a player would.

    Frames without times follow the last frame with a time at a steady rate. If no frame had a time
    yet, they begin at 0, as only the start of a file does.
    """
    container, stream = opened
    period = 1 / frame_rate(stream)
    guessed = times_are_guessed(container, stream)
    unit = period if guessed else time_base(stream)
    from_keyframe, keyframes_only = way.from_keyframe, way.keyframes_only
    headers = PacketHeaders(stream)
    known = None if from_keyframe else 0
    since = 0  # frames after that one
    for packet in container.demux(stream):
        if way.clock is not None:
            way.clock.correct(packet)
        if packet.size == 0 and packet.pts is not None:
            continue  # it repeats the frame before it
        if from_keyframe and packet.size and not headers.is_keyframe(packet):
            continue  # a seek by bytes ends anywhere
        from_keyframe = False
        has_time = not guessed and packet.pts is not None
        # Without times all frames have to come out, to be counted.
        stream.codec_context.skip_frame = "NONKEY" if keyframes_only and has_time else "DEFAULT"
        frames = decode(stream.codec_context, packet)
        if frames is None:
            seconds = (known or 0) * unit + since * period
            damage.add(float(seconds if packet.pts is None else packet.pts * unit))
            continue
        for frame in frames:
            if not guessed and frame.pts is not None:
                known, since = frame.pts, 0
            if known is None:
                return  # an earlier keyframe has to be tried
            timed = TimedFrame(frame, known + round(since * period / unit), unit)
            since += 1
            if frame.is_corrupt:
                damage.add(timed.seconds)
            if frame.key_frame or not keyframes_only:
                yield timed
