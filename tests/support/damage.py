# SPDX-License-Identifier: Apache-2.0
"""Files of many formats, and ways to damage them."""

from pathlib import Path

import numpy as np

from support.videos import numbered_frame, write_video

FORMATS = {
    "mp4": "libx264",
    "mkv": "libx264",
    "ts": "libx264",
    "flv": "libx264",
    "avi": "mpeg4",
    "webm": "libvpx-vp9",
    "mov": "libx265",
    "mpg": "mpeg2video",
    "gif": "gif",
}


def mutate(data: bytes, rng: np.random.Generator) -> bytes:
    """Flip bits, cut, zero or move a piece, or splice the head onto the middle."""
    data = bytearray(data)
    kind = rng.integers(5)
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, max(2, len(data) // 8)))
    if kind == 0:
        for position in rng.integers(len(data), size=int(rng.integers(1, 40))):
            data[position] ^= 1 << int(rng.integers(8))
    elif kind == 1:
        del data[at:]
    elif kind == 2:
        data[at : at + length] = bytes(len(data[at : at + length]))
    elif kind == 3:
        data[at : at + length] = data[: len(data[at : at + length])]
    else:
        head = data[:256]
        for position in rng.integers(256, size=8):
            head[int(position)] = int(rng.integers(256))
        data[:256] = head
    return bytes(data)


def whole_file(folder: Path, suffix: str) -> bytes:
    """Return a file of two seconds in one of the formats."""
    codec = FORMATS[suffix]
    path = write_video(
        folder / f"whole.{suffix}",
        [numbered_frame(number) for number in range(50)],
        codec=codec,
        pixel_format="rgb8" if suffix == "gif" else "yuv420p",
        options={"x265-params": "log-level=none"} if codec == "libx265" else None,
    )
    return path.read_bytes()
