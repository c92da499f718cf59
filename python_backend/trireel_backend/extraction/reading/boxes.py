# SPDX-License-Identifier: Apache-2.0
"""Boxes of an ISO base media file (MP4, MOV, HEIF, AVIF), found without reading what they hold."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

HEADER_BYTES = 8
LARGE_SIZE_BYTES = 8
SIZE_FOLLOWS, UP_TO_THE_END = 1, 0  # values of a box's size that are none
TRACK_ID_AT = {0: 12, 1: 20}  # in a track header, by its version
MOST_BOXES = 10_000  # side by side: a fragmented file has one a second


@dataclass(frozen=True)
class Box:
    """A box and the place of its content in the file."""

    kind: bytes
    begin: int
    end: int


def boxes(file: BinaryIO, begin: int, end: int) -> Iterator[Box]:
    """Yield the boxes that lie side by side between two places; a broken one ends them."""
    for _ in range(MOST_BOXES):
        if begin + HEADER_BYTES > end:
            return
        file.seek(begin)
        header = file.read(HEADER_BYTES)
        size, kind, content = int.from_bytes(header[:4]), header[4:], begin + HEADER_BYTES
        if size == SIZE_FOLLOWS:
            size = int.from_bytes(file.read(LARGE_SIZE_BYTES))
            content += LARGE_SIZE_BYTES
        box_end = end if size == UP_TO_THE_END else begin + size
        if not content <= box_end <= end:
            return
        yield Box(kind, content, box_end)
        begin = box_end


def first_box(file: BinaryIO, begin: int, end: int, *path: bytes) -> Box | None:
    """Return the first box at a path of kinds, each inside the one before."""
    found: Box | None = None
    for kind in path:
        found = next((box for box in boxes(file, begin, end) if box.kind == kind), None)
        if found is None:
            return None
        begin, end = found.begin, found.end
    return found


def content(file: BinaryIO, box: Box, most_bytes: int) -> bytes:
    """Return what a box holds, up to a number of bytes."""
    file.seek(box.begin)
    return file.read(min(box.end - box.begin, most_bytes))


def track_id(header: bytes) -> int:
    """Return the identifier in the first bytes of a track header."""
    at = TRACK_ID_AT.get(header[0], 0) if header else 0
    return int.from_bytes(header[at : at + 4])
