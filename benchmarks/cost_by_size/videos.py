# SPDX-License-Identifier: Apache-2.0
"""Whole videos through the embedded server: by length, resolution and frames per chunk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.server import running, served
from benchmarks.cost_by_size.clips import HEIGHTS_PX, of_height, of_length, width_px
from benchmarks.cost_by_size.points import Point
from benchmarks.long_video.cost import Cost, cost
from trireel_client import ServerPath, Timeout, TrireelClient

LENGTHS_SECONDS = (10, 60, 600, 1800, 7200)
FRAMES = (1, 2, 4, 8, 16, 32, 64, 128)
WARM_SECONDS = 60  # of the video that a server has seen before, and that FRAMES are taken from
CHUNK_SECONDS = 10.0
ROUNDS = 3
TIMEOUT_SECONDS = 3600.0
SERIES = "whole video"


def lengths(folder: Path) -> Iterator[Point]:
    """Yield what videos of several lengths take, each on a server of its own."""
    for seconds in LENGTHS_SECONDS:
        video = of_length(seconds, folder)
        yield _point(seconds, _in_words(seconds), _rounds(folder, video))


def resolutions(folder: Path) -> Iterator[Point]:
    """Yield what 30 s of several resolutions take; sizes are megapixels of a frame."""
    for height in HEIGHTS_PX:
        video, width = of_height(height, folder), width_px(height)
        yield _point(width * height / 1e6, f"{width}x{height}", _rounds(folder, video))


def frames(folder: Path) -> Iterator[Point]:
    """Yield what a chunk of 10 s takes by the number of frames that are sampled from it."""
    video = of_length(WARM_SECONDS, folder)
    for count in FRAMES:
        options = {"frames_per_chunk": count, "chunk_seconds": CHUNK_SECONDS}
        found = _rounds(folder, video, **options)
        yield _point(count, str(count), found, shares=found[0].chunks)


def _rounds(folder: Path, video: Path, **options: Any) -> list[Cost]:
    """Analyse a video several times on a server with default settings."""
    warm = of_length(WARM_SECONDS, folder)
    command = served("--media", str(folder))
    with (
        running(command) as (footprint, _),
        TrireelClient(command.address, timeout=Timeout(request_seconds=TIMEOUT_SECONDS)) as client,
    ):
        client.analyze(ServerPath(warm.name))
        return [cost(client, footprint, video.name, **options) for _ in range(ROUNDS)]


def _point(size: float, label: str, rounds: list[Cost], *, shares: int = 1) -> Point:
    return Point(
        series=SERIES,
        size=size,
        label=label,
        seconds=[one.wall_seconds / shares for one in rounds],
        pss_mib=max(max(one.pss_mib) for one in rounds),
        cpu_seconds=[one.cpu_seconds / shares for one in rounds],
    )


def _in_words(seconds: int) -> str:
    if seconds < 60:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 3600 else f"{seconds // 3600} h"
