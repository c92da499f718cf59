# SPDX-License-Identifier: Apache-2.0
"""Trireel as a reader of captions: a real server, and the client's `captions`."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.captions.score import FoundCaption
from benchmarks.common.footprint import Footprint
from benchmarks.common.server import running, served
from benchmarks.common.whole_video import SAMPLE_SECONDS, TIMEOUT
from trireel_client import CaptionReport, Clip, ScreenCaption, ServerPath, TrireelClient


@dataclass(frozen=True)
class Reading:
    """The captions of one video, and what they cost."""

    captions: tuple[FoundCaption, ...]
    wall_seconds: float
    cpu_seconds: float
    """CPU time of the server's processes and of this one."""
    pss_mib: list[float] = field(repr=False)
    """Memory of the server before the request, once a second during it, and after it."""
    clips: int = 0
    clip_frames: int = 0
    stages: dict[str, list[float | None]] = field(default_factory=dict)
    """Count, busy, waiting and starved milliseconds by stage."""


@dataclass(frozen=True)
class Reader:
    """A running server with a client, and its processes."""

    client: TrireelClient
    footprint: Footprint
    media: Path

    def read(
        self, video: Path, crop: Sequence[float] | None, fps: float, *, with_clips: bool = False
    ) -> Reading:
        """Read the captions of a video of the media folder.

        Args:
            crop: left, top, width, height as fractions; None to let the server find the region.
        """
        source = ServerPath(str(video.relative_to(self.media)))
        found: list[FoundCaption] = []
        report: CaptionReport | None = None
        clips = clip_frames = 0
        before = self.footprint.total_pss_mib()
        with self.footprint.sampled(SAMPLE_SECONDS) as totals:
            wall, cpu = time.monotonic(), self._cpu_seconds()
            for event in self.client.captions(
                source, crop=crop, find_region=crop is None, sample_fps=fps, with_clips=with_clips
            ):
                if isinstance(event, ScreenCaption):
                    ends = (event.first_frame_seconds, event.last_frame_seconds)
                    found.append(FoundCaption(event.text, *ends))
                elif isinstance(event, Clip):
                    clips, clip_frames = clips + 1, clip_frames + event.num_frames
                elif isinstance(event, CaptionReport):
                    report = event
            wall, cpu = time.monotonic() - wall, self._cpu_seconds() - cpu
        stages = {
            stage.name: [stage.count, stage.busy_ms, stage.wait_ms, stage.starved_ms]
            for stage in (report.stages if report else ())
        }
        pss_mib = [before, *totals, self.footprint.total_pss_mib()]
        return Reading(
            tuple(found), round(wall, 3), round(cpu, 3), pss_mib, clips, clip_frames, stages
        )

    def _cpu_seconds(self) -> float:
        return self.footprint.cpu_seconds() + time.process_time()


@contextmanager
def reader(media: Path, warm_up: Path, *options: str) -> Iterator[Reader]:
    """Serve a folder of videos; one of them has been read once."""
    command = served("--media", str(media), *options)
    with (
        running(command) as (footprint, _),
        TrireelClient(command.address, timeout=TIMEOUT) as client,
    ):
        found = Reader(client, footprint, media)
        found.read(warm_up, (0.0, 0.5, 1.0, 0.5), 5.0)
        yield found
