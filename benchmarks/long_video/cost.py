# SPDX-License-Identifier: Apache-2.0
"""What the analysis of one video costs a server, and videos of any length from a short clip."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av

from benchmarks.common.footprint import Footprint
from trireel_client import ServerPath, TrireelClient

SAMPLE_SECONDS = 1.0


@dataclass(frozen=True)
class Cost:
    """One analysis of one video."""

    wall_seconds: float
    cpu_seconds: float
    chunks: int
    pss_mib: list[float] = field(repr=False)
    """Once a second, from before the request to after it."""


def cost(client: TrireelClient, footprint: Footprint, video: str, **options: Any) -> Cost:
    """Analyse a video of a server's media folder with options of the client's."""
    before = footprint.total_pss_mib()
    with footprint.sampled(SAMPLE_SECONDS) as totals:
        wall, cpu = time.monotonic(), footprint.cpu_seconds()
        analysis = client.analyze(ServerPath(video), **options)
        wall, cpu = time.monotonic() - wall, footprint.cpu_seconds() - cpu
    pss_mib = [before, *totals, footprint.total_pss_mib()]
    return Cost(round(wall, 3), round(cpu, 3), analysis.num_chunks, pss_mib)


def repeat(clip: Path, times: int, target: Path) -> Path:
    """Write a video that is a clip several times, without encoding it again."""
    with av.open(str(target), "w") as output:
        stream, offset = None, 0
        for _ in range(times):
            with av.open(str(clip)) as source:
                template = source.streams.video[0]
                stream = stream or output.add_stream_from_template(template)
                end = offset
                for packet in source.demux(template):
                    if packet.dts is None or packet.pts is None or packet.duration is None:
                        continue
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    end = max(end, packet.pts + packet.duration)
                    packet.stream = stream
                    output.mux(packet)
                offset = end
    return target
