# SPDX-License-Identifier: Apache-2.0
"""Small pictures from a few samples of a frame's planes, without scaling the frame.

Taking the samples costs a tenth of a scaler's time, so that it is done for frames that may be of no
use; only those that are of use become RGB.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from av.video.frame import VideoFrame
from numpy.typing import NDArray

CHROMA_PLANES = {"yuv420p": ((1, 1, 0), (2, 1, 0)), "nv12": ((1, 2, 0), (1, 2, 1))}
"""Plane, bytes from sample to sample and first byte of both chroma channels, by pixel format."""
FULL_RANGE = 2
MATRICES = {1: (0.2126, 0.0722), 2: (0.299, 0.114), 5: (0.299, 0.114), 6: (0.299, 0.114)}
"""Shares of red and blue in the luma, by the codes of ITU-T H.273; 2 is unspecified."""
FRACTION_BITS = 5  # of the tables' numbers, which fit into 16 bits
LUMA_SAMPLES = 4  # for each pixel

Indices = NDArray[np.intp]
Table = NDArray[np.int16]


@dataclass(frozen=True)
class _Tables:
    """Conversion from samples to RGB."""

    luma: Table
    """[1021] share of each colour by the sum of the luma samples, rounding included."""
    red_of_v: Table
    green_of_u: Table
    green_of_v: Table
    blue_of_u: Table


@dataclass(frozen=True)
class Sketch:
    """Samples of a frame, from which a small picture is made."""

    luma: NDArray[np.uint8]
    """[4, H * W] luma of four places in each pixel."""
    u: NDArray[np.uint8]
    """[H * W] first chroma channel."""
    v: NDArray[np.uint8]
    """[H * W] second chroma channel."""
    height_px: int
    """Height of the picture in pixels."""
    tables: _Tables
    """Conversion to RGB."""

    def pixels(self) -> NDArray[np.uint8]:
        """Return the picture [H, W, 3] as RGB."""
        tables, samples = self.tables, self.luma
        total = np.add(samples[0], samples[1], dtype=np.uint16)
        total += samples[2]
        total += samples[3]
        colours = np.empty((3, len(self.u)), np.int16)
        colours[0] = tables.red_of_v.take(self.v)
        np.add(tables.green_of_u.take(self.u), tables.green_of_v.take(self.v), out=colours[1])
        colours[2] = tables.blue_of_u.take(self.u)
        colours += tables.luma.take(total)
        colours >>= FRACTION_BITS
        np.maximum(colours, 0, out=colours)
        np.minimum(colours, 255, out=colours)
        picture = np.empty((colours.shape[1], 3), np.uint8)
        picture[...] = colours.T
        return picture.reshape(self.height_px, -1, 3)


def can_sketch(frame: VideoFrame) -> bool:
    """Return whether a frame's planes and colours are of a usual kind."""
    return frame.format.name in CHROMA_PLANES and int(frame.colorspace) in MATRICES


def sketch(frame: VideoFrame, width_px: int, height_px: int) -> Sketch:
    """Take the samples for a picture of a frame that `can_sketch` accepts."""
    planes = frame.planes
    where = _indices(
        frame.format.name,
        (frame.width, frame.height),
        tuple(plane.line_size for plane in planes),
        (width_px, height_px),
    )
    luma, u, v = (_memory(planes[number]).take(indices) for number, indices in where)
    is_full = int(frame.color_range) == FULL_RANGE
    return Sketch(luma, u, v, height_px, _tables(int(frame.colorspace), is_full))


def _memory(plane: Any) -> NDArray[np.uint8]:  # PyAV's stub lacks the buffer protocol
    return np.frombuffer(plane, np.uint8)


@lru_cache(maxsize=16)
def _indices(
    pixel_format: str,
    frame_px: tuple[int, int],
    line_bytes: tuple[int, ...],
    picture_px: tuple[int, int],
) -> list[tuple[int, Indices]]:
    """Return the plane and the bytes in it for luma [4, H * W] and both chroma channels [H * W]."""
    width_px, height_px = picture_px
    rows = _middles(frame_px[1], 2 * height_px) * line_bytes[0]
    places = rows[:, None] + _middles(frame_px[0], 2 * width_px)
    squares = places.reshape(height_px, 2, width_px, 2).transpose(1, 3, 0, 2)
    found = [(0, np.ascontiguousarray(squares.reshape(LUMA_SAMPLES, -1)))]
    for plane, step_bytes, first_byte in CHROMA_PLANES[pixel_format]:
        rows = _middles((frame_px[1] + 1) // 2, height_px) * line_bytes[plane]
        columns = _middles((frame_px[0] + 1) // 2, width_px) * step_bytes + first_byte
        found.append((plane, (rows[:, None] + columns).ravel()))
    return found


def _middles(length: int, parts: int) -> Indices:
    """Return the middles of equal parts of a length."""
    return (2 * np.arange(parts) + 1) * length // (2 * parts)


@lru_cache(maxsize=8)
def _tables(matrix: int, is_full: bool) -> _Tables:
    red, blue = MATRICES[matrix]
    luma_gain, chroma_gain = (1.0, 2.0) if is_full else (255 / 219, 2 * 255 / 224)
    one = 1 << FRACTION_BITS
    chroma = (np.arange(256) - 128) * chroma_gain * one
    luma = np.arange(LUMA_SAMPLES * 255 + 1) / LUMA_SAMPLES - (0 if is_full else 16)

    def table(values: NDArray[np.float64]) -> Table:
        return np.round(values).astype(np.int16)

    return _Tables(
        luma=table(luma * luma_gain * one + one / 2),
        red_of_v=table(chroma * (1 - red)),
        green_of_u=table(-chroma * (1 - blue) * blue / (1 - red - blue)),
        green_of_v=table(-chroma * (1 - red) * red / (1 - red - blue)),
        blue_of_u=table(chroma * (1 - blue)),
    )
