# SPDX-License-Identifier: Apache-2.0
"""The clips that extraction is measured on: drawn places, encoded in several ways."""

from dataclasses import dataclass
from pathlib import Path

import av

from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

RATE = 30
SECONDS = 20
PLACE_SECONDS = 5
GOPS = (12, 60, 250)
B_FRAMES = 3
SIZES_PX = {"384x384": (384, 384), "1080p": (1920, 1080)}


@dataclass(frozen=True)
class Clip:
    """How a clip is encoded."""

    name: str
    codec: str
    """FFmpeg's name of the encoder."""
    size_px: tuple[int, int]
    options: dict[str, str]
    """Of the encoder."""


def _h264(size: str, gop: int, b_frames: int) -> Clip:
    params = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    options = {"preset": "medium", "crf": "23", "x264-params": params}
    return Clip(f"h264 {size} gop {gop} b {b_frames}", "libx264", SIZES_PX[size], options)


def _hevc(gop: int, b_frames: int) -> Clip:
    params = f"log-level=none:keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}"
    options = {"preset": "fast", "crf": "28", "x265-params": params}
    return Clip(f"hevc 1080p gop {gop} b {b_frames}", "libx265", SIZES_PX["1080p"], options)


def _vp9(gop: int, *, alt_ref: bool) -> Clip:
    """VP9 has no B-frames; hidden frames that are only referred to take their place."""
    options = {
        "deadline": "realtime",
        "cpu-used": "6",
        "g": str(gop),
        "keyint_min": str(gop),
        "b": "0",
        "crf": "32",
        "lag-in-frames": "16" if alt_ref else "0",
        "auto-alt-ref": "1" if alt_ref else "0",
    }
    name = f"vp9 1080p gop {gop} alt-ref {int(alt_ref)}"
    return Clip(name, "libvpx-vp9", SIZES_PX["1080p"], options)


CLIPS = (
    *(_h264(size, gop, b) for size in SIZES_PX for gop in GOPS for b in (0, B_FRAMES)),
    *(_hevc(gop, b) for gop in GOPS for b in (0, B_FRAMES)),
    *(_vp9(gop, alt_ref=alt_ref) for gop in GOPS for alt_ref in (False, True)),
)


def make_clip(clip: Clip, folder: Path) -> Path:
    """Draw and encode a clip, unless it is there; deterministic but for the encoder's threads."""
    path = folder / f"{clip.name.replace(' ', '_')}.mkv"
    if path.exists():
        return path
    part = path.with_suffix(".part.mkv")  # one that was cut short must not be taken for a clip
    with av.open(str(part), "w") as container:
        stream = container.add_stream(clip.codec, rate=RATE, options=clip.options)
        stream.width, stream.height = clip.size_px
        stream.pix_fmt = "yuv420p"
        for index in range(RATE * SECONDS):
            place = index // (RATE * PLACE_SECONDS)
            scene = draw_scene(HELD_OUT_SEED + 700_000 + place, *PAIRS[place * 7])
            picture = scene.frame(index / RATE, clip.size_px)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    part.rename(path)
    return path
