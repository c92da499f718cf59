# SPDX-License-Identifier: Apache-2.0
"""The videos that are asked for: drawn places, encoded as the reference's downloader does."""

from pathlib import Path

import av

from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

COUNT = 8
SECONDS = 12
SIZE_PX = 384
RATE = 30
SCENE_SECONDS = 4
# A keyframe a second, as the reference encodes for its seeks.
OPTIONS = {"preset": "fast", "profile": "main", "g": "30", "keyint_min": "30", "sc_threshold": "0"}
NUM_CHUNKS = 2


def make_clips(folder: Path) -> list[Path]:
    """Draw and encode the clips that are not there yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return [_make(index, folder / f"clip-{index}.mp4") for index in range(COUNT)]


def _make(index: int, path: Path) -> Path:
    if path.exists():
        return path
    part = path.with_suffix(".part.mp4")  # one that was cut short must not be taken for a clip
    with av.open(str(part), "w", options={"movflags": "+faststart"}) as container:
        stream = container.add_stream("libx264", rate=RATE, options=OPTIONS)
        stream.width = stream.height = SIZE_PX
        stream.pix_fmt = "yuv420p"
        for number in range(RATE * SECONDS):
            scene = index * (SECONDS // SCENE_SECONDS) + number // (RATE * SCENE_SECONDS)
            pair = PAIRS[scene * 7 % len(PAIRS)]
            picture = draw_scene(HELD_OUT_SEED + 900_000 + scene, *pair).frame(
                number / RATE, SIZE_PX
            )
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    part.rename(path)
    return path
