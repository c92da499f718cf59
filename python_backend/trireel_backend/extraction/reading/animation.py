# SPDX-License-Identifier: Apache-2.0
"""Animated WebP, which FFmpeg does not read: decoded by Pillow."""

import warnings
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from trireel_backend.errors import InvalidInput, NotAVideo, TooMuchWork
from trireel_backend.extraction.reading.full_decode import TimedFrame
from trireel_backend.extraction.reading.opening import VideoFile
from trireel_backend.extraction.task import VideoInfo
from trireel_backend.plan import MIN_CHUNK_SECONDS

DECODER = "webp (pillow)"
TIME_BASE = Fraction(1, 1000)
HEADER_BYTES = 21
ANIMATION_FLAG = 0x02  # of the VP8X chunk, RFC 9649


def is_animated_webp(path: Path) -> bool:
    """Tell by its first bytes whether a file is an animated WebP; raises NotAVideo."""
    try:
        with path.open("rb") as file:
            header = file.read(HEADER_BYTES)
    except OSError as error:
        raise NotAVideo(f"the file cannot be read: {error.strerror}") from error
    is_extended = header[:4] == b"RIFF" and header[8:16] == b"WEBPVP8X"
    return is_extended and len(header) == HEADER_BYTES and bool(header[20] & ANIMATION_FLAG)


def look_at_animation(file: VideoFile) -> VideoInfo:
    """Return the length of an animation; its frames' times are known by decoding them alone.

    Raises:
        NotAVideo: it is damaged from its first frame on.
        TooMuchWork: it has more pixels than the limits allow.
    """
    if file.stream_index not in (None, 0):
        raise InvalidInput(f"STREAM_INDEX is {file.stream_index}: an animated WebP has stream 0")
    with _opened(file) as image:
        stated_frames = _stated_frames(image)
        count, end_ms = 0, 0
        for _, start_ms in _frames(image):
            count, end_ms = count + 1, start_ms + int(image.info["duration"])
    if count == 0:
        raise NotAVideo("the file is an animated WebP, but no frame of it could be decoded")
    return VideoInfo(
        start_seconds=0.0,
        duration_seconds=max(MIN_CHUNK_SECONDS, float(end_ms * TIME_BASE)),
        is_complete=count == stated_frames,
        decoder=DECODER,
        frame_pixels=image.width * image.height,
    )


class AnimationReader:
    """Finds the frames of an animation at given times."""

    def __init__(self, file: VideoFile) -> None:
        self._file = file

    @property
    def decoder(self) -> str:
        """Name of the decoder."""
        return DECODER

    def close(self) -> None:
        """There is nothing to close: the file is opened for each chunk."""

    def frames_on_screen(
        self, targets_seconds: Sequence[float]
    ) -> Iterator[tuple[int, TimedFrame | None]]:
        """Yield, for each of the ascending times, its index and the last frame not after it."""
        current: TimedFrame | None = None
        slot = 0
        with _opened(self._file) as image:
            for picture, start_ms in _frames(image):
                while slot < len(targets_seconds) and start_ms > targets_seconds[slot] * 1000:
                    yield slot, current
                    slot += 1
                if slot == len(targets_seconds):
                    return
                frame = VideoFrame.from_ndarray(np.asarray(picture), format="rgba")
                current = TimedFrame(frame, start_ms, TIME_BASE)
        for rest in range(slot, len(targets_seconds)):
            yield rest, current

    def every_frame(
        self, start_seconds: float, end_seconds: float
    ) -> Iterator[tuple[float, TimedFrame | None]]:
        """Yield the frame on screen at the start, then each frame before the end."""
        current: TimedFrame | None = None
        with _opened(self._file) as image:
            for picture, start_ms in _frames(image):
                if current is not None and start_ms > start_seconds * 1000:
                    yield current.seconds, current
                if current is not None and start_ms >= end_seconds * 1000:
                    return
                frame = VideoFrame.from_ndarray(np.asarray(picture), format="rgba")
                current = TimedFrame(frame, start_ms, TIME_BASE)
        if current is not None:
            yield current.seconds, current


def _opened(file: VideoFile) -> Image.Image:
    try:
        with warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning):
            image = Image.open(file.path, formats=["WEBP"])
    except Image.DecompressionBombError as error:
        raise TooMuchWork(f"the animation is too large to be decoded: {error}") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise NotAVideo("the file is an animated WebP, but a damaged one") from error
    width_px, height_px = image.size
    limits, pixels, stated_frames = file.limits, width_px * height_px, _stated_frames(image)
    if pixels > limits.max_frame_pixels or pixels * stated_frames > limits.max_video_pixels:
        image.close()
        raise TooMuchWork(
            f"the animation has {stated_frames} frames of {width_px} x {height_px}: at most"
            f" {limits.max_frame_pixels:,} pixels a frame and {limits.max_video_pixels:.3g} in all"
            " are decoded"
        )
    return image


def _stated_frames(image: Image.Image) -> int:
    return int(getattr(image, "n_frames", 1))  # only some formats have it


def _frames(image: Image.Image) -> Iterator[tuple[Image.Image, int]]:
    """Yield the frames, complete with what they leave of the last, and their start in ms.

    Where the file is damaged or cut off they end.
    """
    for index in range(_stated_frames(image)):
        try:
            image.seek(index)
            image.load()
        except (OSError, EOFError, ValueError, SyntaxError):
            return
        yield image.convert("RGBA"), int(image.info["timestamp"])
