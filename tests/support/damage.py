# SPDX-License-Identifier: Apache-2.0
"""Files of many formats, and ways to damage them."""

from pathlib import Path

import numpy as np
from PIL import Image

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
    "webp": "animated",
    "jpg": "still",
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
    """Return a file of two seconds in one of the formats, or a still picture."""
    codec, path = FORMATS[suffix], folder / f"whole.{suffix}"
    frames = [numbered_frame(number) for number in range(50)]
    if codec in ("animated", "still"):
        noise = np.random.default_rng(0).integers(0, 128, (50, 48, 64, 3), np.uint8)
        first, *others = map(Image.fromarray, noise // 2 + np.array(frames) // 2)
        animated = {"save_all": True, "append_images": others, "duration": 40}
        first.save(path, **(animated if codec == "animated" else {}))
        return path.read_bytes()
    write_video(
        path,
        frames,
        codec=codec,
        pixel_format="rgb8" if suffix == "gif" else "yuv420p",
        options={"x265-params": "log-level=none"} if codec == "libx265" else None,
    )
    return path.read_bytes()
