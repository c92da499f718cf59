# SPDX-License-Identifier: Apache-2.0
"""What a server holds at one moment: memory, shared memory, files, threads, processes."""

import os
import re
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from benchmarks.soak.tally import Tally
from trireel_backend.launch.run_folder import SHARED_MEMORY, RunFolder
from trireel_backend.system.periodic import Every
from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch
from trireel_client.load_test.watch.scrape import read_metrics

MIB = 2**20
WORKER = "trireel_backend.extraction.process.worker"
STUB_OF = re.compile(r"/models/([a-z_]+)/\d+/")
GAUGES = ("trireel_live_sequences", "trireel_open_videos")
COUNTERS = ("trireel_extractor_workers_lost_total", "trireel_sequences_expired_total")
# Threads by their names: the web server's, one a request, and gRPC's one for all event loops, which
# is there from the first burst on.
NOT_COUNTED = ("process_request_thread", "_poll_wrapper")
Sample = dict[str, Any]


def workers(server: psutil.Process) -> list[psutil.Process]:
    """Return the decoders' processes."""
    return [process for process in _family(server) if _kind(process) == "decoder"]


@dataclass(frozen=True)
class Watch:
    """Looks at one server."""

    server: psutil.Process
    run: RunFolder
    media: Path
    metrics_url: str
    began: float = field(default_factory=time.monotonic)

    def sample(self) -> Sample:
        """Return what is there now."""
        pss_mib: defaultdict[str, float] = defaultdict(float)
        threads: Counter[str] = Counter()
        files: Counter[str] = Counter()
        processes: Counter[str] = Counter()
        for process in _family(self.server):
            with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                kind = _kind(process)
                pss = process.memory_full_info().pss / MIB
                number, targets = process.num_threads(), _open_files(process)
                processes[kind] += 1
                pss_mib[kind] += pss
                threads[kind] += number
                for target in targets:
                    files[f"{kind}: {self._kind_of_file(target)}"] += 1
        regions = _sizes(SHARED_MEMORY.glob(f"{self.run.shm_prefix}*"))
        return {
            "seconds": round(time.monotonic() - self.began, 1),
            "pss_mib": {kind: round(size, 1) for kind, size in sorted(pss_mib.items())},
            "threads": dict(sorted(threads.items())),
            "processes": dict(sorted(processes.items())),
            "open_files": dict(sorted(files.items())),
            "connections": self._connections(),
            "shm_regions": len(regions),
            "shm_bytes": sum(regions.values()),
            "spool": self._spool(),
            "other_files": self._other_files(),
            "client_threads": _own_threads(),
            **self._metrics(),
        }

    def _kind_of_file(self, target: str) -> str:
        path = target.removesuffix(" (deleted)")
        if path.startswith((str(self.media), str(self.run.spool))):
            return "removed videos" if path != target else "videos"
        return target.split(":")[0] if target.startswith(("socket:", "pipe:")) else "others"

    def _connections(self) -> dict[str, int]:
        """Return how many of clients' connections are in which state."""
        found = self.server.net_connections("tcp")
        return dict(sorted(Counter(connection.status for connection in found).items()))

    def _spool(self) -> dict[str, int]:
        sizes = _sizes(self.run.spool.iterdir())
        kinds = Counter(_kind_in_spool(path.name) for path in sizes)
        return {**dict(sorted(kinds.items())), "bytes": sum(sizes.values())}

    def _other_files(self) -> int:
        """Return how many files there are in the run's folder and beside it."""
        folder = self.run.path.parent
        return sum(len(files) for at, _, files in os.walk(folder) if Path(at) != self.run.spool)

    def _metrics(self) -> dict[str, float]:
        try:
            scrape = read_metrics(Address.parse(self.metrics_url))
        except NothingToWatch:
            return {}
        return {name: scrape.total(name) for name in (*GAUGES, *COUNTERS)}


@contextmanager
def sampled(watch: Watch, tally: Tally, every_seconds: float) -> Iterator[list[Sample]]:
    """Look every few seconds for the length of the context; yields the samples."""
    samples: list[Sample] = []
    last = time.monotonic()

    def look() -> None:
        nonlocal last
        latencies, now = tally.taken_latencies_ms(), time.monotonic()
        samples.append(watch.sample() | _throughput(latencies, now - last))
        last = now

    looks = Every(every_seconds, look)
    try:
        yield samples
    finally:
        looks.close()


def _own_threads() -> int:
    """Return how many threads this process has, but for those that come and go by themselves."""
    names = [thread.name for thread in threading.enumerate()]
    return sum(not any(own in name for own in NOT_COUNTED) for name in names)


def _throughput(latencies_ms: list[float], seconds: float) -> dict[str, float]:
    p50, p99 = 0.0, 0.0
    if len(latencies_ms) > 1:
        quantiles = statistics.quantiles(latencies_ms, n=100, method="inclusive")
        p50, p99 = quantiles[49], quantiles[98]
    return {
        "good_per_second": round(len(latencies_ms) / seconds, 2),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
    }


def _family(server: psutil.Process) -> list[psutil.Process]:
    return [server, *server.children(recursive=True)]


def _kind(process: psutil.Process) -> str:
    """Return which part of the server a process is."""
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:
        command = []
    if not command:
        return "ended"
    if WORKER in command:
        return "decoder"
    stub = STUB_OF.search(" ".join(command))
    return stub[1] if stub and "stub" in command[0] else "tritonserver"


def _open_files(process: psutil.Process) -> list[str]:
    folder = Path(f"/proc/{process.pid}/fd")
    targets = []
    for name in os.listdir(folder):
        with suppress(FileNotFoundError):
            targets.append(os.readlink(folder / name))
    return targets


def _sizes(paths: Iterator[Path]) -> dict[Path, int]:
    sizes = {}
    for path in paths:
        with suppress(FileNotFoundError):
            sizes[path] = path.stat().st_size
    return sizes


def _kind_in_spool(name: str) -> str:
    kind = name.split("-")[0]
    return f"{kind} {name.rpartition('.')[2]}" if kind == "uri" else kind
