# SPDX-License-Identifier: Apache-2.0
"""The files that are requested: good ones of many kinds, and bad ones."""

import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from support.damage import FORMATS, mutate, whole_file
from support.videos import write_audio, write_video

from benchmarks.common.record import ROOT
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene

SAMPLE = ROOT / "media/sample.mp4"
RATE = 25
DRAWN_PER_SECOND = 2  # few: drawing is slow, and motion does not matter here
PLACE_SECONDS = 4
X264 = {"preset": "veryfast", "x264-params": "bframes=3:scenecut=0:keyint=50"}
X265 = {"preset": "ultrafast", "x265-params": "log-level=none:keyint=50"}
VP9 = {"deadline": "realtime", "cpu-used": "8"}
BOMB_PX = 60_000
LARGE_PX = 4_000
MOST_PX = 8_192


@dataclass(frozen=True)
class Clip:
    """The encoding of a video."""

    name: str
    codec: str
    size_px: tuple[int, int]
    seconds: int
    pixel_format: str = "yuv420p"
    options: dict[str, str] = field(default_factory=dict)
    is_uneven: bool = False
    """Frames come at changing intervals."""


CLIPS = (
    Clip("h264.mp4", "libx264", (384, 384), 12, options=X264),
    Clip("long.mkv", "libx264", (320, 180), 45, options=X264),
    Clip("hd.mp4", "libx264", (1280, 720), 6, options=X264),
    Clip("uneven.mkv", "libx264", (256, 144), 14, options=X264, is_uneven=True),
    Clip("odd.mp4", "libx264", (321, 241), 8, "yuv444p", X264),
    Clip("tenbit.mov", "libx264", (320, 240), 6, "yuv420p10le", X264),
    Clip("hevc.ts", "libx265", (320, 240), 11, options=X265),
    Clip("vp9.webm", "libvpx-vp9", (320, 180), 8, options=VP9),
    Clip("mpeg4.avi", "mpeg4", (352, 288), 13, options={"bf": "2"}),
    Clip("mpeg2.mpg", "mpeg2video", (352, 288), 10, options={"bf": "2"}),
)


def make_clips(folder: Path) -> list[str]:
    """Make the good files; return their names."""
    for clip in CLIPS:
        _encode(clip, folder / clip.name)
    shutil.copy(SAMPLE, folder)
    for name, make in MADE.items():
        make(folder / name)
    return sorted(path.name for path in folder.iterdir())


def make_bad_files(folder: Path) -> None:
    """Make files that are rejected, and the largest picture that is accepted."""
    (folder / "text.mp4").write_text("I am not a video.")
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "truncated.mp4").write_bytes(SAMPLE.read_bytes()[:300])
    (folder / "bomb.png").write_bytes(_png_bomb())
    (folder / "bomb.gif").write_bytes(_gif_bomb())
    Image.new("RGB", (MOST_PX, MOST_PX)).save(folder / "largest.png", compress_level=1)
    write_audio(folder / "audio.m4a")


def make_mutants(work: Path, count: int, seed: int) -> list[bytes]:
    """Return small damaged files of many formats."""
    rng = np.random.default_rng(seed)
    wholes = [whole_file(work, suffix) for suffix in FORMATS]
    return [mutate(wholes[index % len(wholes)], rng) for index in range(count)]


def _encode(clip: Clip, path: Path) -> None:
    pictures = _pictures(clip.size_px, clip.seconds)
    uneven = [40 * index + (17 * index % 23) for index in range(len(pictures))]
    gop = None if clip.codec.startswith("libx26") else 25
    encoding = {"codec": clip.codec, "pixel_format": clip.pixel_format, "options": clip.options}
    write_video(path, pictures, uneven if clip.is_uneven else None, gop=gop, **encoding)


def _pictures(size_px: tuple[int, int], seconds: int) -> list[NDArray[np.uint8]]:
    pictures = []
    for index in range(seconds * DRAWN_PER_SECOND):
        place = index // (PLACE_SECONDS * DRAWN_PER_SECOND)
        scene = draw_scene(HELD_OUT_SEED + 800_000 + place, *PAIRS[place * 5 % len(PAIRS)])
        pictures += [scene.frame(index / DRAWN_PER_SECOND, size_px)] * (RATE // DRAWN_PER_SECOND)
    return pictures


def _turned(target: Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", "-nostdin", "-y"]
    command += ["-display_rotation:v:0", "90", "-i", str(SAMPLE), "-t", "8", "-c", "copy"]
    subprocess.run([*command, str(target)], check=True, timeout=60)


def _with_a_hole(target: Path) -> None:
    """Make a video without some packets in the middle."""
    _encode(replace(CLIPS[0], name=target.name), target)
    data = bytearray(target.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 4000] = bytes(4000)
    target.write_bytes(data)


def _animated(target: Path) -> None:
    first, *others = (Image.fromarray(picture) for picture in _pictures((160, 90), 4)[:: RATE // 2])
    first.save(target, save_all=True, append_images=others, duration=500)


def _large(target: Path) -> None:
    picture = Image.fromarray(_pictures((400, 400), 1)[0])
    picture.resize((LARGE_PX, LARGE_PX)).save(target)


def _png_bomb() -> bytes:
    """Return a PNG of few bytes whose header states gigabytes of pixels."""

    def part(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", BOMB_PX, BOMB_PX, 8, 2, 0, 0, 0)
    lines = zlib.compress(bytes(2**20))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", head) + part(b"IDAT", lines) + part(b"IEND", b"")


def _gif_bomb() -> bytes:
    """Return a GIF of one pixel on a canvas of four billion."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00;"


MADE: dict[str, Callable[[Path], None]] = {
    "turned.mp4": _turned,
    "damaged.ts": _with_a_hole,
    "animated.webp": _animated,
    "animated.gif": _animated,
    "large.jpg": _large,
}
