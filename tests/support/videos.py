# SPDX-License-Identifier: Apache-2.0
"""Small real videos, encoded where they are needed."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TIME_BASE = Fraction(1, 1000)


def numbered_frame(number: int, width_px: int = 64, height_px: int = 48) -> NDArray[np.uint8]:
    """Draw a frame whose blocks spell its number in binary, so that it can be told apart."""
    frame = np.full((height_px, width_px, 3), 64, np.uint8)
    block_px = width_px // 8
    for bit in range(8):
        if number >> bit & 1:
            frame[height_px // 4 : height_px // 2, bit * block_px : (bit + 1) * block_px] = 230
    return frame


def number_of(pixels: NDArray[np.uint8]) -> int:
    """Read a frame's number back from its picture [H, W, 3], squashed or not."""
    height_px, width_px, _ = pixels.shape
    row = pixels[int(height_px * 0.375)].mean(axis=1)
    centres = ((np.arange(8) + 0.5) * width_px / 8).astype(int)
    return sum(1 << bit for bit, centre in enumerate(centres) if row[centre] > 150)


def write_video(
    path: Path,
    frames: Sequence[NDArray[np.uint8]],
    pts_ms: Sequence[int] | None = None,
    *,
    codec: str = "libx264",
    gop: int = 12,
    options: dict[str, str] | None = None,
) -> Path:
    """Encode frames [H, W, 3]; without `pts_ms` at 25 frames a second from 0."""
    times = [40 * index for index in range(len(frames))] if pts_ms is None else pts_ms
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.gop_size = gop
        stream.codec_context.time_base = TIME_BASE
        for pixels, pts in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = pts, TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def decode_everything(path: Path, size_px: int) -> list[tuple[float, NDArray[np.uint8]]]:
    """Decode every frame of a video: the plain way to know what is on screen when."""
    with av.open(str(path)) as container:
        return sorted(
            (
                (
                    float(frame.pts * frame.time_base),
                    frame.reformat(size_px, size_px, "rgb24", interpolation="BICUBIC").to_ndarray(),
                )
                for frame in container.decode(video=0)
            ),
            key=lambda timed: timed[0],
        )


def write_audio(path: Path) -> Path:
    """Encode a second of silence, without a picture."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 16000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        for _ in range(16):
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path
