# SPDX-License-Identifier: Apache-2.0
"""A client that has its answer ready: what remains is the price of durability.

`python -m benchmarks.durability.canned` is a worker with such a client, for the test of two.
"""

import argparse
import asyncio
import os
import sys
import time
from dataclasses import MISSING, dataclass, fields
from fractions import Fraction
from typing import Any

from trireel_app.analyse.servers import ServerLimits
from trireel_app.commands.run import TEND_SECONDS
from trireel_app.engine.database import VARIABLE, open_database
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, WorkerOptions, log_nothing
from trireel_client import Analysis, ChunkAnalysis, ServerDetails, ServerInfo, Tag, Timing

READY = "works"
SECONDS = 12.0
TAGS = tuple(Tag(f"tag {number}", 0.1 * number, 0.2) for number in range(5))
CHUNKS = tuple(
    ChunkAnalysis(
        index=number,
        start_seconds=SECONDS / 2 * number,
        duration_seconds=SECONDS / 2,
        tags=TAGS,
        frame_timestamps_seconds=tuple(0.4 * i for i in range(16)),
        frame_pts=tuple(range(16)),
        time_base=Fraction(1, 90_000),
        damaged_packets=0,
        num_chunks=2,
    )
    for number in range(2)
)
NOTHING: dict[Any, Any] = {str: "", int: 0, float: 0.0}
DETAILS = {
    field.name: NOTHING.get(field.type, ())
    for field in fields(ServerDetails)
    if field.default is MISSING
}


@dataclass
class CannedClient:
    """Answers after a while with the same analysis."""

    seconds: float = 0.0

    async def is_ready(self, model: str | None = None) -> bool:
        """Return True."""
        return True

    async def server_details(self) -> ServerDetails:
        """Return the details of no server."""
        return ServerDetails(**DETAILS)

    async def server_info(self) -> ServerInfo:
        """Return the name of no server."""
        return ServerInfo("none", "0")

    async def analyze(self, source: str, **options: Any) -> Analysis:
        """Return the analysis."""
        if self.seconds:
            await asyncio.sleep(self.seconds)
        return Analysis(
            stream_id="",
            start_seconds=0.0,
            duration_seconds=SECONDS,
            time_base=Fraction(1, 90_000),
            stream_index=0,
            video_stream_indices=(0,),
            decoder="none",
            tags=TAGS,
            chunks=CHUNKS,
            timing=Timing(0, 0, 0, 0, 0),
            embedding_dim=1,
            server=ServerInfo("none", "0"),
            client_ms=0.0,
        )

    async def close(self) -> None:
        """Close nothing."""


def canned_options(seconds: float, concurrency: int) -> WorkerOptions:
    """Return how a worker with such a client works."""
    return WorkerOptions(
        urls=("none:1",),
        make_client=lambda url: CannedClient(seconds),  # type: ignore[arg-type, return-value]
        limits=ServerLimits(concurrency),
    )


def main() -> None:
    """Work on the jobs of the environment's database until standard input ends."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--concurrency", type=int, required=True)
    arguments = parser.parse_args()
    store = JobStore(open_database(os.environ[VARIABLE]))
    options = canned_options(arguments.seconds, arguments.concurrency)
    with Worker(store, DbosEngine(store.database), options, log_nothing) as worker:
        print(READY, flush=True)
        os.set_blocking(sys.stdin.fileno(), False)
        while sys.stdin.buffer.read(1) is None:
            worker.tend()
            time.sleep(TEND_SECONDS)


if __name__ == "__main__":
    main()
