# SPDX-License-Identifier: Apache-2.0
"""Videos of minutes and of hours through the embedded server: time, CPU and memory.

Run: python -m benchmarks.long_video --output benchmarks/long_video/results.json
(needs the environment of scripts/test). One 384x384 H.264 clip of 20 s is put after itself without
encoding until the video is as long as wanted, and analysed as a whole, with one extractor and with
two. Memory is the proportional set size (PSS) of all the server's processes, once a second.
"""

import argparse
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import av
import psutil

from benchmarks.extraction.clips import CLIPS, make_clip
from benchmarks.extraction.machine import describe
from trireel_backend.embedded.server import Ports, ServerOptions, embedded_server
from trireel_client import ServerPath, Timeout, TrireelClient

ROOT = Path(__file__).parents[2]
CLIP = "h264 384x384 gop 60 b 3"
CLIP_SECONDS = 20
MINUTES = (2, 10, 120)
EXTRACTORS = (1, 2)
TIMEOUT_SECONDS = 3600.0
MIB = 2**20


@dataclass(frozen=True)
class Run:
    """One analysis of one video."""

    clip: str
    minutes: int
    extractors: int
    wall_seconds: float
    cpu_seconds: float
    chunks: int
    pss_mib: list[float] = field(repr=False)
    """Once a second, from before the request to after it."""


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


class Footprint:
    """The memory and the CPU time of a process and of all that it started."""

    def __init__(self, process_id: int) -> None:
        self._family = [psutil.Process(process_id)]
        self._family += self._family[0].children(recursive=True)
        self.pss_mib: list[float] = []

    def cpu_seconds(self) -> float:
        """Return the CPU time up to now."""
        times = (process.cpu_times() for process in self._family)
        return sum(time.user + time.system for time in times)

    @contextmanager
    def sampled(self) -> Iterator[None]:
        """Read the memory once a second for the length of the context."""
        done = threading.Event()

        def sample() -> None:
            while True:
                pss = sum(process.memory_full_info().pss for process in self._family)
                self.pss_mib.append(round(pss / MIB, 1))
                if done.wait(1.0):
                    return

        sampler = threading.Thread(target=sample)
        sampler.start()
        try:
            yield
        finally:
            done.set()
            sampler.join()


def analyze(folder: Path, clip: str, minutes: int, extractors: int) -> Run:
    """Start a server, analyse the video of so many minutes, and stop it."""
    options = ServerOptions(
        models=ROOT / "model_repository",
        export=ROOT / "export/tiny/model",
        media_root=folder,
        ports=Ports.free(),
        instances={"frame_extractor": extractors},
    )
    with embedded_server(options) as server:
        url = f"127.0.0.1:{server.ports.grpc}"
        with TrireelClient(url, timeout=Timeout(request_seconds=TIMEOUT_SECONDS)) as client:
            client.analyze(ServerPath("2.mkv"))  # warm
            footprint = Footprint(server.process.pid)
            with footprint.sampled():
                wall, cpu = time.monotonic(), footprint.cpu_seconds()
                analysis = client.analyze(ServerPath(f"{minutes}.mkv"))
                wall, cpu = time.monotonic() - wall, footprint.cpu_seconds() - cpu
    return Run(
        clip, minutes, extractors, round(wall, 3), round(cpu, 3), analysis.num_chunks,
        footprint.pss_mib,
    )  # fmt: skip


def main() -> None:
    """Analyse all lengths and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--minutes", type=int, nargs="*", default=MINUTES)
    parser.add_argument("--clip", default=CLIP, choices=[clip.name for clip in CLIPS])
    arguments = parser.parse_args()
    runs = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (wanted,) = (clip for clip in CLIPS if clip.name == arguments.clip)
        clip = make_clip(wanted, folder)
        for minutes in {2, *arguments.minutes}:
            repeat(clip, minutes * 60 // CLIP_SECONDS, folder / f"{minutes}.mkv")
        for minutes in arguments.minutes:
            for extractors in EXTRACTORS:
                runs.append(analyze(folder, arguments.clip, minutes, extractors))
                print(runs[-1], "PSS", statistics.median(runs[-1].pss_mib), flush=True)
    report = {"machine": describe(), "runs": [asdict(run) for run in runs]}
    arguments.output.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
