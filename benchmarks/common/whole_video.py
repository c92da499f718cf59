# SPDX-License-Identifier: Apache-2.0
"""Time, CPU time and memory that a server takes for one analysis of a whole video."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from benchmarks.common.footprint import Footprint
from benchmarks.common.server import running, served
from trireel_client import ServerPath, Timeout, TrireelClient

SAMPLE_SECONDS = 1.0
TIMEOUT = Timeout(request_seconds=3600.0)


@dataclass(frozen=True)
class Cost:
    """The cost of one analysis."""

    wall_seconds: float
    cpu_seconds: float
    chunks: int
    pss_mib: list[float] = field(repr=False)
    """Memory of the server before the request, once a second during it, and after it."""


@dataclass(frozen=True)
class Server:
    """A running server with a client, and its processes."""

    client: TrireelClient
    footprint: Footprint

    def cost(self, video: str, **options: Any) -> Cost:
        """Analyse a video of the server's media folder; `options` are those of the client."""
        before = self.footprint.total_pss_mib()
        with self.footprint.sampled(SAMPLE_SECONDS) as totals:
            wall, cpu = time.monotonic(), self.footprint.cpu_seconds()
            analysis = self.client.analyze(ServerPath(video), **options)
            wall, cpu = time.monotonic() - wall, self.footprint.cpu_seconds() - cpu
        pss_mib = [before, *totals, self.footprint.total_pss_mib()]
        return Cost(round(wall, 3), round(cpu, 3), analysis.num_chunks, pss_mib)


@contextmanager
def warm_server(warm_up: str, *options: str) -> Iterator[Server]:
    """Run a server with options of the command line; it has analysed the video `warm_up` once."""
    command = served(*options)
    with (
        running(command) as (footprint, _),
        TrireelClient(command.address, timeout=TIMEOUT) as client,
    ):
        client.analyze(ServerPath(warm_up))
        yield Server(client, footprint)
