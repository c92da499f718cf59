# SPDX-License-Identifier: Apache-2.0
"""Frames of second views as tensors: packed by the extractor, unpacked by the findings.

The catalogue explains each tensor. Frames are ordered by chunk, and within a chunk by view.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.wire.tensors import Tensors, texts

Region = tuple[float, float, float, float]
"""Left, top, width and height of a part of a picture, as fractions of the picture's sides."""
WHOLE_PICTURE: Region = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class PackedView:
    """The frames of one second view of one chunk."""

    pixels: NDArray[np.uint8]
    """[f, H, W, 3] RGB pixels."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of the frames."""
    region: Region = WHOLE_PICTURE
    """Part of the upright picture that a frame shows; it reaches beyond the picture by bars."""


def pack_views(
    names: Sequence[str],
    sizes_px: Sequence[tuple[int, int]],
    chunks: Sequence[Sequence[PackedView]],
) -> dict[str, NDArray[Any]]:
    """Return the tensors of some chunks.

    Args:
        names: names of the views.
        sizes_px: width and height of each view's frames.
        chunks: for each chunk, its frames in each view.
    """
    views = [view for chunk in chunks for view in chunk]
    counts = [[len(view.pixels) for view in chunk] for chunk in chunks]
    pixels = [view.pixels.reshape(-1) for view in views]
    times = [view.timestamps_seconds for view in views]
    regions = [[view.region for view in chunk] for chunk in chunks]
    return {
        "VIEW_NAMES": texts(names),
        "VIEW_SIZES_PX": np.array(sizes_px, np.int32).reshape(len(names), 2),
        "CHUNK_VIEW_NUM_FRAMES": np.array(counts, np.int32).reshape(len(chunks), len(names)),
        "CHUNK_VIEW_REGIONS": np.array(regions, np.float64).reshape(len(chunks), len(names), 4),
        "VIEW_TIMESTAMPS": np.concatenate([np.zeros(0), *times]),
        "VIEW_PIXELS": np.concatenate([np.zeros(0, np.uint8), *pixels]),
    }


def split_views(packed: Tensors) -> Iterator[dict[str, NDArray[Any]]]:
    """Yield the tensors of each chunk, in order."""
    counts, sizes_px = packed["CHUNK_VIEW_NUM_FRAMES"], packed["VIEW_SIZES_PX"]
    frame = byte = 0
    for row, regions in zip(counts, packed["CHUNK_VIEW_REGIONS"], strict=True):
        next_frame = frame + int(row.sum())
        next_byte = byte + _bytes(row, sizes_px)
        yield {
            **packed,
            "CHUNK_VIEW_NUM_FRAMES": row[None],
            "CHUNK_VIEW_REGIONS": regions[None],
            "VIEW_TIMESTAMPS": packed["VIEW_TIMESTAMPS"][frame:next_frame],
            "VIEW_PIXELS": packed["VIEW_PIXELS"][byte:next_byte],
        }
        frame, byte = next_frame, next_byte


def unpack_views(packed: Tensors) -> dict[str, PackedView]:
    """Return the frames of one chunk by the names of their views.

    Raises:
        InvalidInput: if the tensors contradict each other.
    """
    counts, sizes_px = packed["CHUNK_VIEW_NUM_FRAMES"], packed["VIEW_SIZES_PX"]
    regions = packed["CHUNK_VIEW_REGIONS"]
    names, pixels, times = packed["VIEW_NAMES"], packed["VIEW_PIXELS"], packed["VIEW_TIMESTAMPS"]
    if len(names) == 0:
        return {}
    if counts.shape != (1, len(names)) or sizes_px.shape != (len(names), 2):
        raise InvalidInput(
            f"got {len(names)} VIEW_NAMES, VIEW_SIZES_PX {list(sizes_px.shape)} and"
            f" CHUNK_VIEW_NUM_FRAMES {list(counts.shape)}: send for every view a name, a width"
            " and height, and a number of frames"
        )
    is_negative = min([0, *counts.ravel().tolist(), *sizes_px.ravel().tolist()]) < 0
    is_whole = len(times) == counts.sum() and len(pixels) == _bytes(counts[0], sizes_px)
    if is_negative or not is_whole:
        raise InvalidInput(
            f"got {len(times)} VIEW_TIMESTAMPS and {len(pixels)} VIEW_PIXELS, which does not match"
            " CHUNK_VIEW_NUM_FRAMES and VIEW_SIZES_PX: send those that frame_extractor returns"
        )
    if not np.isfinite(times).all():
        raise InvalidInput("VIEW_TIMESTAMPS hold a value that is not a number: send seconds")
    if regions.shape != (1, len(names), 4) or not np.isfinite(regions).all():
        raise InvalidInput(
            f"got CHUNK_VIEW_REGIONS {list(regions.shape)} with {len(names)} VIEW_NAMES: send those"
            " that frame_extractor returns"
        )
    views, frame, byte = {}, 0, 0
    rows = zip(names, counts[0].tolist(), sizes_px.tolist(), regions[0].tolist(), strict=True)
    for name, count, size_px, (left, top, width, height) in rows:
        width_px, height_px = size_px
        end = byte + count * width_px * height_px * 3
        shape = (count, height_px, width_px, 3)
        views[bytes(name).decode()] = PackedView(
            pixels[byte:end].reshape(shape),
            times[frame : frame + count],
            (left, top, width, height),
        )
        frame, byte = frame + count, end
    return views


def _bytes(counts: NDArray[np.int32], sizes_px: NDArray[np.int32]) -> int:
    return int((counts.astype(np.int64) * sizes_px.astype(np.int64).prod(axis=1) * 3).sum())
