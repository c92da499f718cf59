# SPDX-License-Identifier: Apache-2.0
"""The state of a server at one moment: memory, shared memory, files, threads, processes."""

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

from benchmarks.common.footprint import Footprint
from benchmarks.common.pages import MIB
from benchmarks.soak.tally import Tally
from trireel_backend.launch.run_folder import SHARED_MEMORY, RunFolder
from trireel_backend.system.periodic import Every
from trireel_client._config import Address
from trireel_client.load_test.errors import NothingToWatch
from trireel_client.load_test.watch.scrape import read_metrics

WORKER = "trireel_backend.extraction.process.worker"
STUB_OF = re.compile(r"/models/([a-z_]+)/\d+/")
GAUGES = ("trireel_live_sequences", "trireel_open_videos")
# Names of threads that come and go by themselves: the web server's, one for each request, and
# gRPC's single one for all event loops, which exists from the first burst on.
NOT_COUNTED = ("process_request_thread", "_poll_wrapper")
Sample = dict[str, Any]


@dataclass(frozen=True)
class Watch:
    """Reads the state of one server."""

    footprint: Footprint
    run: RunFolder
    media: Path
    metrics_url: str
    began: float = field(default_factory=time.monotonic)

    def decoders(self) -> list[psutil.Process]:
        """Return the decoders' processes."""
        return [process for process in self.footprint.family() if kind_of(process) == "decoder"]

    def permanent(self) -> list[int]:
        """Return the processes that are never restarted: all but the decoders."""
        family = self.footprint.family()
        return sorted(each.pid for each in family if kind_of(each) not in ("decoder", "ended"))

    def sample(self) -> Sample:
        """Return the state now."""
        pss_mib: defaultdict[str, float] = defaultdict(float)
        threads: Counter[str] = Counter()
        files: Counter[str] = Counter()
        processes: Counter[str] = Counter()
        for process in self.footprint.family():
            with suppress(psutil.NoSuchProcess, ProcessLookupError, FileNotFoundError):
                kind = kind_of(process)
                pss = process.memory_full_info().pss / MIB
                number, targets = process.num_threads(), _open_files(process)
                processes[kind] += 1
                pss_mib[kind] += pss
                threads[kind] += number
                files.update(f"{kind}: {self._kind_of_file(target)}" for target in targets)
        regions = _sizes(SHARED_MEMORY.glob(f"{self.run.shm_prefix}*"))
        return {
            "seconds": round(time.monotonic() - self.began, 1),
            "pss_mib": {kind: round(size, 1) for kind, size in sorted(pss_mib.items())},
            "threads": dict(sorted(threads.items())),
            "processes": dict(sorted(processes.items())),
            "open_files": dict(sorted(files.items())),
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

    def _spool(self) -> dict[str, int]:
        sizes = _sizes(self.run.spool.iterdir())
        kinds = Counter(_kind_in_spool(path.name) for path in sizes)
        return {**dict(sorted(kinds.items())), "bytes": sum(sizes.values())}

    def _other_files(self) -> int:
        """Return the number of files in the run's folder and beside it, without the spool."""
        folder = self.run.path.parent
        return sum(len(files) for at, _, files in os.walk(folder) if Path(at) != self.run.spool)

    def _metrics(self) -> dict[str, float]:
        try:
            scrape = read_metrics(Address.parse(self.metrics_url))
        except NothingToWatch:
            return {}
        return {name: scrape.total(name) for name in GAUGES}


@contextmanager
def sampled(watch: Watch, tally: Tally, every_seconds: float) -> Iterator[list[Sample]]:
    """Take samples at an interval within the context; yields them."""
    samples: list[Sample] = []
    last = time.monotonic()

    def take() -> None:
        nonlocal last
        latencies, now = tally.take_latencies_ms(), time.monotonic()
        samples.append(watch.sample() | _throughput(latencies, now - last))
        last = now

    sampler = Every(every_seconds, take)
    try:
        yield samples
    finally:
        sampler.close()


def kind_of(process: psutil.Process) -> str:
    """Return the part of the server that a process is: a model's name, or one of five others."""
    try:
        command = process.cmdline()
    except psutil.NoSuchProcess:
        command = []
    if not command:
        return "ended"
    if WORKER in command:
        return "decoder"
    if "trireel_backend.launch.embedded.cli" in command:
        return "launcher"
    stub = STUB_OF.search(" ".join(command))
    return stub[1] if stub and "stub" in command[0] else "tritonserver"


def _own_threads() -> int:
    names = [thread.name for thread in threading.enumerate()]
    return sum(not any(part in name for part in NOT_COUNTED) for name in names)


def _throughput(latencies_ms: list[float], seconds: float) -> dict[str, float]:
    p50, p99 = 0.0, 0.0
    if len(latencies_ms) > 1:
        quantiles = statistics.quantiles(latencies_ms, n=100, method="inclusive")
        p50, p99 = quantiles[49], quantiles[98]
    rate = round(len(latencies_ms) / seconds, 2)
    return {"good_per_second": rate, "p50_ms": round(p50, 1), "p99_ms": round(p99, 1)}


def _open_files(process: psutil.Process) -> list[str]:
    targets = []
    for link in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):
            targets.append(os.readlink(link))
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
