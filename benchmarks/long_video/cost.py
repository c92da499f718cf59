# SPDX-License-Identifier: Apache-2.0
"""What the analysis of one video costs a server, and videos of any length from a short clip."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
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
                packets = _timed(source.demux(template))
                end = offset + max(packet.pts + packet.duration for packet in packets)
                for packet in packets:
                    packet.pts, packet.dts = packet.pts + offset, packet.dts + offset
                    packet.stream = stream
                    output.mux(packet)
                offset = end
    return target


def _timed(packets: Iterable[av.Packet]) -> list[av.Packet]:
    """Return packets that each have a decoding time; Matroska leaves out that of the first few."""
    found = [packet for packet in packets if packet.pts is not None]
    for before, packet in reversed(list(pairwise(found))):
        if before.dts is None:
            before.dts = packet.dts - packet.duration
    return found
