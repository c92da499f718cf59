# SPDX-License-Identifier: Apache-2.0
"""The plain way to a frame: decode everything from a keyframe on.

It needs no times from the container and forgives damage, at the price of decoding frames that
nobody asked for.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from trireel_backend.errors import NotAVideo
from trireel_backend.extraction.container import (
    frame_rate,
    seek,
    time_base,
    times_are_guessed,
)

FIRST_BACK_OFF_SECONDS = 1.0


@dataclass(frozen=True)
class TimedFrame:
    """A decoded frame and when it comes on screen."""

    frame: VideoFrame
    seconds: float
    """Its PTS."""


def decode_on_screen(
    container: InputContainer, stream: VideoStream, targets_seconds: Sequence[float]
) -> Iterator[TimedFrame]:
    """Yield, for each of the ascending times, the last frame that is not after it.

    Before a video's first frame that is its first, behind its last the last. The container is one
    that was just opened.

    Raises:
        NotAVideo: no frame could be decoded.
    """
    current: TimedFrame | None = None
    pending = list(targets_seconds)
    for frame in _decoded_from(container, stream, pending[0]):
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


def _decoded_from(
    container: InputContainer, stream: VideoStream, target_seconds: float
) -> Iterator[TimedFrame]:
    """Decode from the keyframe that a frame at a time needs, in order of PTS.

    A seek goes by the container's index, whose entry may be a decoding time after the wanted PTS;
    where the first frame decoded is too late, an earlier entry is tried. Where times are
    guessed, they are right only from the start of the file.
    """
    back_off_seconds = 0.0
    while True:
        at_start = times_are_guessed(container, stream) or seek(
            container, stream, target_seconds - back_off_seconds
        )
        frames = _decoded(container, stream, from_keyframe=not at_start)
        first = next(frames, None)
        if at_start or (first is not None and first.seconds <= target_seconds):
            break
        back_off_seconds = max(FIRST_BACK_OFF_SECONDS, back_off_seconds * 4)
    if first is not None:
        yield first
    yield from frames


def _decoded(
    container: InputContainer, stream: VideoStream, *, from_keyframe: bool
) -> Iterator[TimedFrame]:
    """Decode what follows; a damaged packet is passed over, as a player would."""
    stream.codec_context.flush_buffers()
    stream.codec_context.skip_frame = "DEFAULT"
    count = 0
    guessed = times_are_guessed(container, stream)
    for packet in container.demux(stream):
        if from_keyframe and packet.size and not packet.is_keyframe:
            continue  # a seek by bytes ends anywhere
        from_keyframe = False
        try:
            frames: Sequence[VideoFrame] = packet.decode()
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if guessed or frame.pts is None:
                # Frames without times come at a steady rate from the start of the file.
                seconds = float(count / frame_rate(stream))
            else:
                seconds = float(frame.pts * time_base(stream))
            yield TimedFrame(frame, seconds)
            count += 1
