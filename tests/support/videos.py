# SPDX-License-Identifier: Apache-2.0
"""Small real videos, encoded where they are needed."""

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

TIME_BASE = Fraction(1, 1000)
FRAME_TIME_BASE = Fraction(1, 25)  # some codecs take a rate and no finer times


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
    gop: int | None = 12,
    pixel_format: str = "yuv420p",
    options: dict[str, str] | None = None,
    container_options: dict[str, str] | None = None,
) -> Path:
    """Encode frames [H, W, 3]; without `pts_ms` at 25 frames a second from 0.

    With `gop` None the options say how far keyframes are apart.
    """
    times = [40 * index for index in range(len(frames))] if pts_ms is None else pts_ms
    time_base = TIME_BASE if pts_ms is not None else FRAME_TIME_BASE
    with av.open(str(path), "w", options=container_options or {}) as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = pixel_format
        if gop is not None:
            stream.gop_size = gop
        stream.codec_context.time_base = time_base
        for pixels, pts_ms_ in zip(frames, times, strict=True):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(pts_ms_ / 1000 / time_base), time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def decode_everything(path: Path, size_px: int) -> list[tuple[float, NDArray[np.uint8]]]:
    """Decode every frame of a video: the plain way to know what is on screen when.

    Frames without times come at the stream's rate from 0; AVI has no times.
    """
    timed = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        steps = [graph.add_buffer(template=stream), graph.add("scale", f"{size_px}:{size_px}"),
                 graph.add("format", "rgb24"), graph.add("buffersink")]  # fmt: skip
        graph.link_nodes(*steps).configure()
        for count, frame in enumerate(container.decode(stream)):
            timeless = frame.pts is None or container.format.name == "avi"
            seconds = count / stream.average_rate if timeless else frame.pts * frame.time_base
            graph.vpush(frame)
            timed.append((float(seconds), graph.vpull().to_ndarray()))
    return sorted(timed, key=lambda frame: frame[0])


def keyframe_seconds(path: Path) -> list[float]:
    """Return the times of a video's keyframes, as a full decode tells them."""
    seconds = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for count, frame in enumerate(container.decode(stream)):
            if frame.key_frame:
                timeless = frame.pts is None or container.format.name == "avi"
                time = count / stream.average_rate if timeless else frame.pts * frame.time_base
                seconds.append(float(time))
    return sorted(seconds)


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
