# SPDX-License-Identifier: Apache-2.0
"""What the ffmpeg command of another release makes of a file."""

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray

SIZE_PX = 32
OVER_BLACK = "format=gbrap,premultiply=inplace=1"


def ffmpeg(*arguments: str | Path) -> bytes:
    """Run the ffmpeg command and return its output."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    command += [str(argument) for argument in arguments]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def first_picture(
    path: Path, filters: str = "null", *, before: tuple[str, ...] = ()
) -> NDArray[np.int_]:
    """Return a file's first picture [S, S, 3], filtered, then squashed to a square."""
    scaled = ("-vf", f"{filters},scale={SIZE_PX}:{SIZE_PX}")
    return _square(ffmpeg(*before, "-i", path, "-frames:v", "1", *scaled, *RGB))


def tiled_picture(path: Path) -> NDArray[np.int_]:
    """Return a picture of tiles [S, S, 3], which the command puts together by itself."""
    whole = path.with_suffix(".whole.mkv")  # lossless, and of the same pixel format
    ffmpeg("-i", path, "-frames:v", "1", "-c:v", "ffv1", whole)
    return first_picture(whole)


RGB = ("-f", "rawvideo", "-pix_fmt", "rgb24", "-")


def _square(data: bytes) -> NDArray[np.int_]:
    return np.frombuffer(data, np.uint8).reshape(SIZE_PX, SIZE_PX, 3).astype(int)
