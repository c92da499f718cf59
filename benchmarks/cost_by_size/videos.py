# SPDX-License-Identifier: Apache-2.0
"""Whole videos through the embedded server: by length, resolution and frames per chunk."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg

from benchmarks.common.clips import RATE, h264_gop_60, once, repeat
from benchmarks.common.whole_video import Cost, warm_server
from benchmarks.cost_by_size.points import Point

LENGTHS = {10: "10 s", 60: "1 min", 600: "10 min", 1800: "30 min", 7200: "2 h"}
HEIGHTS_PX = (384, 720, 1080, 1440, 2160)
FRAMES = (1, 2, 4, 8, 16, 32, 64, 128)
SHORT_SECONDS = 10
RESOLUTION_SECONDS = 30
WARM_SECONDS = 60  # length of the video that warms a server up, and that FRAMES are taken from
CHUNK_SECONDS = 10.0
ROUNDS = 3
# Noise: a magnified picture alone would be far smoother than that of a camera.
NOISE = "noise=alls=6:allf=t"
ENCODER = "-c:v libx264 -preset veryfast -crf 23 -pix_fmt yuv420p -g 60 -keyint_min 60"
ENCODER += " -sc_threshold 0 -bf 3"


def lengths(folder: Path) -> Iterator[Point]:
    """Yield the cost of videos of several lengths, each on a server of its own."""
    for seconds, label in LENGTHS.items():
        yield _point(seconds, label, _rounds(folder, of_length(seconds, folder)))


def resolutions(folder: Path) -> Iterator[Point]:
    """Yield the cost of 30 s of several resolutions; sizes are megapixels of a frame."""
    for height in HEIGHTS_PX:
        video, width = of_height(height, folder), width_px(height)
        yield _point(width * height / 1e6, f"{width}x{height}", _rounds(folder, video))


def frames(folder: Path) -> Iterator[Point]:
    """Yield the cost of a chunk of 10 s by the number of frames that are sampled."""
    video = of_length(WARM_SECONDS, folder)
    for count in FRAMES:
        options = {"frames_per_chunk": count, "chunk_seconds": CHUNK_SECONDS}
        found = _rounds(folder, video, **options)
        yield _point(count, str(count), found, shares=found[0].chunks)


def _rounds(folder: Path, video: Path, **options: Any) -> list[Cost]:
    """Analyse a video several times on a server with default settings."""
    warm_up = of_length(WARM_SECONDS, folder)
    with warm_server(warm_up.name, "--media", str(folder)) as server:
        return [server.cost(video.name, **options) for _ in range(ROUNDS)]


def _point(size: float, label: str, rounds: list[Cost], *, shares: int = 1) -> Point:
    return Point(
        series="whole video",
        size=size,
        label=label,
        seconds=[cost.wall_seconds / shares for cost in rounds],
        pss_mib=max(max(cost.pss_mib) for cost in rounds),
        cpu_seconds=[cost.cpu_seconds / shares for cost in rounds],
    )


def of_length(seconds: int, folder: Path) -> Path:
    """Return a 384x384 video of a multiple of 10 s: a clip repeated without encoding."""
    # By the number of frames: they are whole groups of pictures, which -t does not keep to.
    first = ["-i", str(h264_gop_60(folder)), "-frames:v", str(SHORT_SECONDS * RATE), "-c", "copy"]
    short = once(folder / f"length-{SHORT_SECONDS}.mkv", lambda part: _ffmpeg(first, part))
    times = seconds // SHORT_SECONDS
    return once(folder / f"length-{seconds}.mkv", lambda part: repeat(short, times, part))


def width_px(height_px: int) -> int:
    """Return the width of a 16:9 picture, which is even."""
    return round(height_px * 16 / 9 / 2) * 2


def of_height(height_px: int, folder: Path) -> Path:
    """Return a 16:9 video of 30 s and of this height, H.264 with a keyframe every 2 s."""
    arguments = ["-stream_loop", "-1", "-i", str(h264_gop_60(folder)), "-t"]
    arguments += [
        str(RESOLUTION_SECONDS),
        "-vf",
        f"scale={width_px(height_px)}:{height_px},{NOISE}",
    ]
    arguments += ENCODER.split()
    return once(folder / f"height-{height_px}.mkv", lambda part: _ffmpeg(arguments, part))


def _ffmpeg(arguments: list[str], target: Path) -> None:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-v", "error", "-y"]
    subprocess.run([*command, *arguments, str(target)], check=True)
