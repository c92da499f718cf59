# SPDX-License-Identifier: Apache-2.0
"""Frames composed from others, plane by plane: tiles, an alpha plane, turned pictures."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from av.video.format import VideoFormat
from av.video.frame import VideoFrame
from numpy.typing import NDArray

from trireel_backend.extraction.picture.colour import keep_known_colours

Plane = NDArray[Any]

SUBSAMPLED_UNEVENLY = ("422", "440", "411")  # turning them changes the format
FULL_RANGE = 2


def planes(frame: VideoFrame) -> list[Plane]:
    """Return a planar frame's planes [h, w] as views on its memory, uint8 or uint16."""
    return [_plane(frame, index) for index in range(len(frame.planes))]


def _plane(frame: VideoFrame, index: int) -> Plane:
    plane = frame.planes[index]
    sample = np.uint16 if frame.format.components[0].bits > 8 else np.uint8
    memory: Any = plane  # it supports the buffer protocol, which NumPy's stub does not know
    rows: Plane = np.frombuffer(memory, np.uint8).reshape(-1, plane.line_size)
    view: Plane = rows.view(sample)[: plane.height, : plane.width]
    return view


def tiled(tiles: Sequence[VideoFrame], columns: int, size_px: tuple[int, int]) -> VideoFrame:
    """Return the picture that tiles of one size and format form, row by row.

    Args:
        size_px: width and height of the picture; the last column and row may reach beyond it.

    Raises:
        ValueError: if the tiles differ, or do not fill the picture.
    """
    first = tiles[0]
    shapes = {(tile.width, tile.height, tile.format.name) for tile in tiles}
    rows = len(tiles) // columns
    if len(shapes) > 1 or first.width * columns < size_px[0] or first.height * rows < size_px[1]:
        raise ValueError("the tiles do not make the picture")
    picture = _new(first, *size_px, first.format.name)
    for number, tile in enumerate(tiles):
        row, column = divmod(number, columns)
        for canvas, plane in zip(planes(picture), planes(tile), strict=True):
            height, width = plane.shape
            part = canvas[row * height : (row + 1) * height, column * width : (column + 1) * width]
            part[:] = plane[: part.shape[0], : part.shape[1]]
    return picture


def turned(frame: VideoFrame, quarters: int, mirrors: str = "") -> VideoFrame:
    """Return a frame with `columns` or `rows` mirrored, then turned counter-clockwise."""
    for subsampling in SUBSAMPLED_UNEVENLY:
        if quarters % 2 and subsampling in frame.format.name:
            frame = _converted(frame, frame.format.name.replace(subsampling, "444"))
    sides = (frame.height, frame.width) if quarters % 2 else (frame.width, frame.height)
    result = _new(frame, *sides, frame.format.name)
    for to, plane in zip(planes(result), planes(frame), strict=True):
        if mirrors:
            plane = np.flip(plane, axis=1 if mirrors == "columns" else 0)
        to[:] = np.rot90(plane, quarters)
    return result


def with_alpha(frame: VideoFrame, alpha: VideoFrame) -> VideoFrame:
    """Return a frame whose alpha is the first plane of another frame, of any size and depth."""
    name = _format_with_alpha(frame.format.name)
    if name is None:
        frame = _converted(frame, "gbrp")
        name = "gbrap"
    if (alpha.width, alpha.height) != (frame.width, frame.height):
        alpha = _converted(alpha, alpha.format.name, frame.width, frame.height)
    result = _new(frame, frame.width, frame.height, name)
    *colours, transparency = planes(result)
    for to, plane in zip(colours, planes(frame), strict=True):
        to[:] = plane
    deeper = frame.format.components[0].bits - alpha.format.components[0].bits
    opaque = planes(alpha)[0].astype(np.uint16)
    transparency[:] = opaque << deeper if deeper > 0 else opaque >> -deeper
    return result


def has_alpha(frame: VideoFrame) -> bool:
    """Return whether a frame may be transparent, as colours of a palette always may be."""
    if frame.format.name == "pal8":
        return True
    return any(component.is_alpha for component in frame.format.components)


def over_black(frame: VideoFrame, *, deep: bool) -> VideoFrame:
    """Return a frame composed over black as planes of RGB, the frame itself if it is opaque.

    Args:
        deep: keep 16 bits per colour.
    """
    composed = _converted(frame, "gbrap16le" if deep else "gbrap")
    *colours, alpha = planes(composed)
    most = int(np.iinfo(alpha.dtype).max)
    if alpha.min() == most:
        return frame
    opaque = alpha.astype(np.uint32 if deep else np.uint16)  # wide enough for the products
    for colour in colours:
        colour[:] = (colour * opaque + most // 2) // most
    return composed


def _format_with_alpha(name: str) -> str | None:
    """Return the format that adds an alpha plane to the planes of another format."""
    for plain, with_one in (("yuvj", "yuva"), ("yuv", "yuva"), ("gbrp", "gbrap")):
        candidate = name.replace(plain, with_one)
        if name.startswith(plain) and _is_format(candidate):
            return candidate
    return None


@cache
def _is_format(name: str) -> bool:
    try:
        VideoFormat(name)
    except ValueError:
        return False
    return True


def _converted(
    frame: VideoFrame, name: str, width_px: int | None = None, height_px: int | None = None
) -> VideoFrame:
    keep_known_colours(frame)
    converted = frame.reformat(width=width_px, height=height_px, format=name)
    converted.color_trc, converted.color_primaries = frame.color_trc, frame.color_primaries
    return converted


def _new(like: VideoFrame, width_px: int, height_px: int, name: str) -> VideoFrame:
    """Return an unfilled frame with the colour description of another frame."""
    keep_known_colours(like)
    frame = VideoFrame(width_px, height_px, name)
    frame.colorspace, frame.color_primaries = like.colorspace, like.color_primaries
    frame.color_trc = like.color_trc
    frame.color_range = FULL_RANGE if like.format.name.startswith("yuvj") else like.color_range
    return frame
