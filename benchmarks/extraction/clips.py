# SPDX-License-Identifier: Apache-2.0
"""The clips that extraction is measured on: drawn places, encoded in several ways."""

from dataclasses import dataclass
from pathlib import Path

import av

from trireel_export.tiny.places import PAIRS
from trireel_export.tiny.scene import HELD_OUT_SEED, draw_scene

RATE = 30
SECONDS = 20
PLACE_SECONDS = 5


@dataclass(frozen=True)
class Clip:
    """How a clip is encoded."""

    name: str
    codec: str
    size_px: tuple[int, int]
    options: dict[str, str]


def _x264(gop: int, b_frames: int) -> dict[str, str]:
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    return {"preset": "medium", "crf": "23", "x264-params": params}


CLIPS = (
    *(
        Clip(f"h264 384x384 gop {gop} b {b}", "libx264", (384, 384), _x264(gop, b))
        for gop in (12, 60, 250)
        for b in (0, 3)
    ),
    Clip("h264 1080p gop 12 b 3", "libx264", (1920, 1080), _x264(12, 3)),
    Clip("h264 1080p gop 60 b 3", "libx264", (1920, 1080), _x264(60, 3)),
    Clip("h264 1080p gop 250 b 0", "libx264", (1920, 1080), _x264(250, 0)),
    Clip(
        "hevc 1080p gop 60",
        "libx265",
        (1920, 1080),
        {"preset": "fast", "x265-params": "log-level=none:keyint=60"},
    ),
    Clip(
        "vp9 1080p gop 60",
        "libvpx-vp9",
        (1920, 1080),
        {"deadline": "realtime", "cpu-used": "6", "g": "60", "b": "4M", "lag-in-frames": "16",
         "auto-alt-ref": "1"},
    ),
)  # fmt: skip


def make_clip(clip: Clip, folder: Path) -> Path:
    """Draw and encode a clip, unless it is there; deterministic but for the encoder's threads."""
    path = folder / f"{clip.name.replace(' ', '_')}.mkv"
    if path.exists():
        return path
    with av.open(str(path), "w") as container:
        stream = container.add_stream(clip.codec, rate=RATE, options=clip.options)
        stream.width, stream.height = clip.size_px
        stream.pix_fmt = "yuv420p"
        for index in range(RATE * SECONDS):
            place = index // (RATE * PLACE_SECONDS)
            scene = draw_scene(HELD_OUT_SEED + 700_000 + place, *PAIRS[place * 7])
            picture = scene.frame(index / RATE, clip.size_px)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path
