# SPDX-License-Identifier: Apache-2.0
"""Chunks of slow sources, and what they cost whole videos and other chunks.

Run: python -m benchmarks.slow_sources --output benchmarks/slow_sources/results.json
(needs scripts/setup test). Two clients request whole videos by path and two request
chunks by path, all in a closed loop: first alone, then beside twenty requests for chunks of twenty
URIs, each of which takes 10 s to download. With --before, the tree of another commit is measured
too; its server is started by the Python of its own .venv.
"""

import argparse
import itertools
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import tritonclient.grpc

from benchmarks.common.clips import short_clips
from benchmarks.common.machine import describe
from benchmarks.common.server import Command, running, served
from trireel_backend.launch.signals import unwind_on_signals

MODELS = ("frame_extractor", "chunk_encoder", "video_chunk")
SOURCES = 20
SOURCE_SECONDS = 10.0
STEP_SECONDS = 0.25
CLIENTS = 2
"""Of whole videos, and as many of chunks."""
WINDOW_SECONDS = 8.0
"""Shorter than a source takes: the slow requests are all in flight, or wait for those that are."""
TIMEOUT_SECONDS = 600.0


class SlowHandler(BaseHTTPRequestHandler):
    """Sends a video in small pieces, evenly over the seconds."""

    data = b""

    def do_GET(self) -> None:
        """Answer with the video."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.data)))
        self.end_headers()
        piece = int(len(self.data) * STEP_SECONDS / SOURCE_SECONDS) + 1
        try:
            for at in range(0, len(self.data), piece):
                time.sleep(STEP_SECONDS)
                self.wfile.write(self.data[at : at + piece])
        except OSError:
            return  # the server has stopped

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""


@contextmanager
def slow_server(video: Path) -> Iterator[str]:
    """Serve a video slowly; yields the address without a path."""
    handler = type("Handler", (SlowHandler,), {"data": video.read_bytes()})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Client:
    """Requests by gRPC, timed."""

    def __init__(self, address: str) -> None:
        self._triton = tritonclient.grpc.InferenceServerClient(address)
        self._ids = itertools.count(1)

    def request(self, model: str, reference: str) -> float:
        """Return how long an answer takes, in ms."""
        video = tritonclient.grpc.InferInput("VIDEO", [1], "BYTES")
        video.set_data_from_numpy(np.array([reference.encode()], object))
        sequence: dict[str, Any] = {}
        if model == "video_chunk":
            name = f"{id(self)}-{next(self._ids)}"
            sequence = {"sequence_id": name, "sequence_start": True, "sequence_end": True}
        began = time.monotonic()
        self._triton.infer(model, [video], client_timeout=TIMEOUT_SECONDS, **sequence)
        return (time.monotonic() - began) * 1e3


def measure(client: Client, model: str, names: list[str]) -> dict[str, Any]:
    """Request whole videos and chunks for the window; times belong to those begun in it."""
    ends = time.monotonic() + WINDOW_SECONDS

    def ask(asked: str) -> list[float]:
        endless = itertools.cycle(names)
        times_ms = []
        while time.monotonic() < ends:
            times_ms.append(round(client.request(asked, next(endless)), 2))
        return times_ms

    with ThreadPoolExecutor(2 * CLIENTS) as pool:
        began = time.monotonic()
        asking = {
            asked: [pool.submit(ask, asked) for _ in range(CLIENTS)]
            for asked in ("video_analysis", model)
        }
        times = {
            asked: [time for one in each for time in one.result()] for asked, each in asking.items()
        }
        seconds = time.monotonic() - began
    return {
        "seconds": round(seconds, 3),
        "whole_video_ms": times["video_analysis"],
        "chunk_ms": times[model],
    }


def measure_model(client: Client, model: str, names: list[str], slow: str) -> dict[str, Any]:
    """Measure alone, then beside the slow sources."""
    alone = measure(client, model, names)
    with ThreadPoolExecutor(SOURCES) as pool:
        began = time.monotonic()
        requests = [
            pool.submit(client.request, model, f"{slow}/{model}-{began}-{index}.mp4")
            for index in range(SOURCES)
        ]
        time.sleep(1.0)  # all have arrived
        beside = measure(client, model, names)
        slow_ms = [round(request.result(), 2) for request in requests]
    print(
        f"  {model}: whole videos {_rate(alone, 'whole_video_ms'):.2f} ->"
        f" {_rate(beside, 'whole_video_ms'):.2f}/s, chunks {_rate(alone, 'chunk_ms'):.2f} ->"
        f" {_rate(beside, 'chunk_ms'):.2f}/s; slow ones {max(slow_ms) / 1e3:.0f} s",
        flush=True,
    )
    return {"model": model, "alone": alone, "beside": beside, "slow_ms": slow_ms}


def _rate(measured: dict[str, Any], what: str) -> float:
    return len(measured[what]) / float(measured["seconds"])


def run_round(command: Command, names: list[str], slow: str) -> list[dict[str, Any]]:
    """Start a server and measure every model."""
    with running(command):
        client = Client(command.address)
        for name in names:
            client.request("video_analysis", name)
        return [measure_model(client, model, names, slow) for model in MODELS]


def command_of(tree: Path | None, media: Path) -> Command:
    """Return the command of the server of a tree, by default of this one."""
    command = served("--media", str(media), "--allow-network", "127.0.0.0/8")
    if tree is None:
        return command
    return replace(
        command,
        arguments=[
            str(tree / ".venv/bin/python"),
            *command.arguments[1:],
            "--models",
            str(tree / "model_repository"),
        ],
    )


def main() -> None:
    """Measure in turns, and write the results after every round."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--before", type=Path, help="tree of another commit, measured as well")
    arguments = parser.parse_args()
    unwind_on_signals()
    trees: dict[str, Path | None] = {"after": None}
    if arguments.before is not None:
        trees = {"before": arguments.before.resolve(), **trees}
    rounds: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as temporary:
        clips = short_clips(Path(temporary).resolve() / "clips")
        with slow_server(clips[0]) as slow:
            for number in range(1, arguments.rounds + 1):
                rounds.append({})
                for name, tree in trees.items():
                    print(f"Round {number} of {arguments.rounds}, {name}", flush=True)
                    command = command_of(tree, clips[0].parent)
                    rounds[-1][name] = run_round(command, [c.name for c in clips], slow)
                    report = {"machine": describe(), "sources": SOURCES, "rounds": rounds}
                    report["source_seconds"] = SOURCE_SECONDS
                    arguments.output.write_text(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()
