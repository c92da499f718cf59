# SPDX-License-Identifier: Apache-2.0
"""Trireel as a detector: a real server, the client's `analyze`, and the mode of its scenes."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.common.footprint import Footprint
from benchmarks.common.whole_video import warm_server
from benchmarks.scenes.detectors import Detector, Found
from benchmarks.scenes.score import Event
from trireel_client import ServerPath, TrireelClient

MODES = {
    "EMA as published": "sampled",
    "Trireel refined": "refined",
    "Trireel exact": "exact",
}
"""Modes of the finding `scenes` by the name of the detector."""


@contextmanager
def trireel(media: Path, warm_up: Path, *options: str) -> Iterator[dict[str, Detector]]:
    """Serve a folder of videos, and yield a detector for each mode.

    Args:
        media: Folder that holds all videos.
        warm_up: One of its videos, which is analysed before anything is measured.
        options: Options of trireel-serve.
    """
    served = ("--media", str(media), *options)
    with warm_server(str(warm_up.relative_to(media)), *served) as server:
        yield {
            name: partial(detect, server.client, server.footprint, media, mode)
            for name, mode in MODES.items()
        }


def detect(
    client: TrireelClient, footprint: Footprint, media: Path, mode: str, videos: Sequence[Path]
) -> Iterator[Found]:
    """Find the scenes of one video after the other."""
    for video in videos:
        began = _cpu_seconds(footprint)
        analysis = client.analyze(ServerPath(str(video.relative_to(media))), **_options(mode))
        cpu_seconds = _cpu_seconds(footprint) - began
        changes = analysis.scene_changes
        events = tuple(
            Event(change.timestamp_seconds, change.begin_seconds, change.end_seconds)
            for change in changes
        )
        yield Found(events, cpu_seconds, tuple(change.kind for change in changes))


def _options(mode: str) -> dict[str, Any]:
    return {"find": ("scenes",), "scenes": mode}


def _cpu_seconds(footprint: Footprint) -> float:
    """Return the CPU time of the server's processes and of this one."""
    return footprint.cpu_seconds() + time.process_time()


def common_folder(videos: Sequence[Path]) -> Path:
    """Return the folder that all videos are in."""
    return Path(os.path.commonpath([video.resolve().parent for video in videos]))
