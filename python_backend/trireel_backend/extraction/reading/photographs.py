# SPDX-License-Identifier: Apache-2.0
"""JPEG files of several pictures: a photograph and what lies behind it, or a video.

Behind a photograph may lie a gain map (Ultra HDR), a depth map, a preview, a second view (MPO) or a
short film. A player shows the photograph. In a bare MJPEG stream all pictures are frames.
"""

import mmap
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

START, END = b"\xff\xd8", b"\xff\xd9"
START_OF_SCAN = 0xDA
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # ITU-T T.81, table B.1
APPLICATION_SEGMENTS = range(0xE0, 0xF0)
IDENTIFIER_BYTES = 4
# What tells a photograph by itself: CIPA DC-007, and what phones write of the pictures behind it.
SIGNS_OF_A_PHOTOGRAPH = (
    b"MPF\0",
    b"hdr-gain-map",
    b"hdrgm:",
    b"HDRGainMap",
    b"urn:iso:std:iso:ts:21496",
    b"photos/1.0/container",
    b"MicroVideo",
)
SHORTEST_BYTES = 64 * 1024  # in which a stream's next frame begins, behind whatever fills the gap


@dataclass(frozen=True)
class _Picture:
    """A JPEG picture within a file, as its segments say it is."""

    scan_begin: int
    layout: bytes
    """Precision, height, width and number of colours."""
    application: tuple[bytes, ...]
    """Kinds of its application segments."""
    is_marked: bool
    """A segment says that other pictures belong to this one."""

    def is_followed_by_frame(self, other: "_Picture") -> bool:
        """Tell whether both look like frames of one stream."""
        is_marked = self.is_marked or other.is_marked
        return not is_marked and (self.layout, self.application) == (
            other.layout,
            other.application,
        )


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file, and how FFmpeg is to read it."""

    demuxer: str
    picture: bytes | None = None
    """The photograph alone, None if the file is read as it is."""

    def source(self, path: Path) -> str | BytesIO:
        """Return what is opened."""
        return str(path) if self.picture is None else BytesIO(self.picture)


def jpeg_of(path: Path) -> Jpeg | None:
    """Tell a photograph from a stream of JPEG pictures; None for a file of another kind."""
    try:
        with path.open("rb") as file:
            if file.read(3) != START + b"\xff":
                return None
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                return _jpeg(data)
    except (OSError, ValueError):
        return None


def _jpeg(data: mmap.mmap) -> Jpeg | None:
    first = _picture(data, 0)
    if first is None:
        return None
    end = data.find(END, first.scan_begin) + len(END)
    if end < len(END):
        return None  # it was cut off
    if not first.is_marked:
        second_begin = data.find(START + b"\xff", end, end + SHORTEST_BYTES)
        second = None if second_begin < 0 else _picture(data, second_begin)
        if second is not None and first.is_followed_by_frame(second):
            return Jpeg("mjpeg")
    return Jpeg("jpeg_pipe", None if end == len(data) else data[:end])


def _picture(data: mmap.mmap, begin: int) -> _Picture | None:
    """Read a picture's segments up to its first scan; None if it has none."""
    at, layout, is_marked = begin + len(START), b"", False
    application: list[bytes] = []
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # padding
            at += 1
            continue
        size = int.from_bytes(data[at + 2 : at + 4])
        segment = data[at + 4 : at + 2 + size]
        if marker == START_OF_SCAN:
            return _Picture(at + 2 + size, layout, tuple(application), is_marked)
        if marker in FRAME_HEADERS:
            layout = segment[:6]
        elif marker in APPLICATION_SEGMENTS:
            application.append(bytes([marker]) + segment[:IDENTIFIER_BYTES])
            is_marked = is_marked or any(sign in segment for sign in SIGNS_OF_A_PHOTOGRAPH)
        at += 2 + size
    return None
