# SPDX-License-Identifier: Apache-2.0
"""The plain way to a frame: decode everything from a keyframe on.

It needs no times from the container and forgives damage, at the price of decoding frames that
nobody asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo
from trireel_backend.extraction.container import (
    VideoFile,
    frame_rate,
    opened_video,
    seek,
    time_base,
    times_are_guessed,
)

FIRST_BACK_OFF_SECONDS = 1.0


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

    def add(self, seconds: float) -> None:
        """Note a packet by its time; met again, it is still one."""
        self._seconds.add(seconds)

    def count(self, start_seconds: float, end_seconds: float) -> int:
        """Return the number of packets in a stretch, and forget what lies before it."""
        self._seconds = {seconds for seconds in self._seconds if seconds >= start_seconds}
        return sum(seconds < end_seconds for seconds in self._seconds)


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
    for frame in _decoded_from(file, pending[0], damage):
        if keyframes_only and not frame.frame.key_frame:
            continue
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


def _decoded_from(file: VideoFile, target_seconds: float, damage: Damage) -> Iterator[TimedFrame]:
    """Decode from the keyframe that a frame at a time needs, in order of PTS.

    A seek goes by the container's index, whose entry may be a decoding time after the wanted PTS;
    where the first frame decoded is too late, an earlier entry is tried. Where times are
    guessed, they are right only from the start of the file.
    """
    back_off_seconds = 0.0
    while True:
        with opened_video(file) as (container, stream):
            sought = not times_are_guessed(container, stream) and seek(
                container, stream, target_seconds - back_off_seconds
            )
            frames = _decoded(container, stream, damage, from_keyframe=sought)
            first = next(frames, None)
            if not sought or (first is not None and first.seconds <= target_seconds):
                if first is not None:
                    yield first
                yield from frames
                return
        back_off_seconds = max(FIRST_BACK_OFF_SECONDS, back_off_seconds * 4)


def _decoded(
    container: InputContainer, stream: VideoStream, damage: Damage, *, from_keyframe: bool
) -> Iterator[TimedFrame]:
    """Decode what follows; a damaged packet is passed over, as a player would."""
    stream.codec_context.flush_buffers()
    stream.codec_context.skip_frame = "DEFAULT"
    period = 1 / frame_rate(stream)
    guessed = times_are_guessed(container, stream)
    unit = period if guessed else time_base(stream)
    count = 0
    for packet in container.demux(stream):
        if from_keyframe and packet.size and not packet.is_keyframe:
            continue  # a seek by bytes ends anywhere
        from_keyframe = False
        try:
            frames: Sequence[VideoFrame] = packet.decode()
        except av.error.MemoryError:
            raise
        except av.error.FFmpegError:
            damage.add(float(count * period) if packet.pts is None else float(packet.pts * unit))
            continue
        for frame in frames:
            # Frames without times come at a steady rate from the start of the file.
            pts = None if guessed else frame.pts
            timed = TimedFrame(frame, round(count * period / unit) if pts is None else pts, unit)
            if frame.is_corrupt:
                damage.add(timed.seconds)
            yield timed
            count += 1
