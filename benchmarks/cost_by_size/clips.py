# SPDX-License-Identifier: Apache-2.0
"""Videos of several lengths and resolutions, from one drawn clip, by the ffmpeg command."""

import subprocess
from pathlib import Path

import imageio_ffmpeg

from benchmarks.extraction.clips import CLIPS, RATE, make_clip
from benchmarks.long_video.cost import repeat

DRAWN = "h264 384x384 gop 60 b 3"
SHORT_SECONDS = 10
RESOLUTION_SECONDS = 30
HEIGHTS_PX = (384, 720, 1080, 1440, 2160)
# Noise, for what is enlarged would be far smoother than what a camera sees at that size.
NOISE = "noise=alls=6:allf=t"
ENCODER = [
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "23", "-pix_fmt", "yuv420p"),
    *("-g", "60", "-keyint_min", "60", "-sc_threshold", "0", "-bf", "3"),
]


def of_length(seconds: int, folder: Path) -> Path:
    """Return a 384x384 video of so many tens of seconds: a clip after itself, not encoded again."""
    short = folder / f"length-{SHORT_SECONDS}.mkv"
    if not short.exists():
        # By the number of frames: they are whole groups of pictures, which -t does not keep to.
        frames = ["-frames:v", str(SHORT_SECONDS * RATE), "-c", "copy"]
        _ffmpeg(["-i", str(_drawn(folder)), *frames], short)
    target = folder / f"length-{seconds}.mkv"
    if not target.exists():
        part = target.with_suffix(".part.mkv")  # one that was cut short must not be taken for it
        repeat(short, seconds // SHORT_SECONDS, part).rename(target)
    return target


def width_px(height_px: int) -> int:
    """Return the width of a 16:9 picture, which is even."""
    return round(height_px * 16 / 9 / 2) * 2


def of_height(height_px: int, folder: Path) -> Path:
    """Return a 16:9 video of 30 s and of this height, H.264 with a keyframe every 2 s."""
    target = folder / f"height-{height_px}.mkv"
    if not target.exists():
        scale = f"scale={width_px(height_px)}:{height_px},{NOISE}"
        source = ["-stream_loop", "-1", "-i", str(_drawn(folder)), "-t", str(RESOLUTION_SECONDS)]
        _ffmpeg([*source, "-vf", scale, *ENCODER], target)
    return target


def _drawn(folder: Path) -> Path:
    (wanted,) = (clip for clip in CLIPS if clip.name == DRAWN)
    return make_clip(wanted, folder)


def _ffmpeg(arguments: list[str], target: Path) -> None:
    part = target.with_suffix(".part.mkv")
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*command, *arguments, str(part)], check=True)
    part.rename(target)
