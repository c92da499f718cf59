# SPDX-License-Identifier: Apache-2.0
"""Uploads during which gateway, worker, Triton and database are killed in turn."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import astuple
from pathlib import Path
from typing import Any

import httpx
import psutil
from support.ports import free_ports
from support.postgres import Postgres, postgres
from support.videos import numbered_frame, write_video

from benchmarks.common.record import ROOT
from trireel_app.engine.database import VARIABLE, open_database
from trireel_app.gateway.access.keys import KeyStore
from trireel_app.jobs.store import JobStore
from trireel_client import TrireelClient

UPLOADS = 20
BROKEN = 7
FRAMES = 75
KILL_AFTER = {4: "gateway", 8: "worker", 12: "triton", 16: "database"}
LONGEST_SECONDS = 1200.0
TRITON = "tritonserver"
PAUSE_SECONDS = 1.0
"""Time between uploads, so that some are analysed while others come."""
ENDED = ("done", "failed")
Found = dict[str, Any]


class Machine:
    """All processes, which are started again when they were killed."""

    def __init__(self, folder: Path, database: Postgres) -> None:
        self._folder, self._database = folder, database
        self._ports, self._port = free_ports(), free_ports().http
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        engine = open_database(database.url)
        JobStore(engine)
        key = KeyStore(engine).create("bench")
        engine.dispose()
        self.headers = {"Authorization": f"Bearer {key}"}
        self.url = f"http://127.0.0.1:{self._port}"

    def start(self, *names: str) -> None:
        """Start parts."""
        http, grpc, metrics = map(str, astuple(self._ports))
        uploads = str(self._folder / "uploads")
        (self._folder / "uploads").mkdir(exist_ok=True)
        serve = Path(sys.executable).with_name("trireel-serve")
        trireel = [sys.executable, "-m", "trireel_client"]
        ports = ["--http-port", http, "--grpc-port", grpc, "--metrics-port", metrics]
        server = ["--url", f"127.0.0.1:{grpc}"]
        library = ["--library", str(self._folder / "library"), "--uploads", uploads]
        commands = {
            "triton": [str(serve), *ports, "--media", uploads],
            "worker": [*trireel, "worker", *server, "--lease-seconds", "5"],
            "gateway": [*trireel, "gateway", *server, "--port", str(self._port), *library],
        }
        for name in names:
            with (self._folder / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(
                    commands[name],
                    cwd=ROOT,
                    env={**os.environ, VARIABLE: self._database.url},
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )

    def kill(self, name: str) -> None:
        """Kill a part as a crash does, and start it again; Triton's launcher does so itself."""
        if name == "database":
            self._database.kill()
            time.sleep(2)
            self._database.start()
        elif name == "triton":
            for child in psutil.Process(self._processes[name].pid).children(recursive=True):
                if child.name() == TRITON:
                    child.kill()
        else:
            self._processes[name].kill()
            self._processes[name].wait()
            self.start(name)

    def look(self) -> None:
        """Start parts again that have ended by themselves, as any supervisor does."""
        for name, process in list(self._processes.items()):
            if process.poll() is not None:
                self.start(name)

    def wait_for_triton(self) -> None:
        """Wait until the server is ready."""
        with TrireelClient(f"127.0.0.1:{self._ports.grpc}") as client:
            while not client.is_ready("video_analysis"):
                time.sleep(1)

    def stop(self) -> None:
        """End all parts."""
        for name in ("gateway", "worker", "triton"):
            if name in self._processes:
                self._processes[name].send_signal(signal.SIGTERM)
                self._processes[name].wait(60)


def kills(folder: Path) -> Found:
    """Upload clips while parts are killed; return how each video ended."""
    clips = [_clip(folder / f"{number}.mp4", number) for number in range(UPLOADS)]
    with postgres() as database:
        machine = Machine(folder, database)
        try:
            machine.start("triton", "gateway", "worker")
            machine.wait_for_triton()
            return _measure(machine, clips)
        finally:
            machine.stop()


def _measure(machine: Machine, clips: list[Path]) -> Found:
    accepted, sends = [], 0
    with httpx.Client(base_url=machine.url, headers=machine.headers, timeout=60) as client:
        began = time.monotonic()
        for number, clip in enumerate(clips):
            if name := KILL_AFTER.get(number):
                machine.kill(name)
            time.sleep(PAUSE_SECONDS)
            while True:
                sends += 1
                if video := _sent(client, clip):
                    accepted.append(video)
                    break
                time.sleep(1)
                machine.look()
        sent_seconds = time.monotonic() - began
        videos = _ended(machine, client, len(accepted))
        ended_seconds = time.monotonic() - began
    ours = [videos[video] for video in accepted]
    return {
        "uploads": len(clips),
        "broken": 1,
        "killed": list(KILL_AFTER.values()),
        "sends": sends,
        "accepted": len(accepted),
        "ended": dict(Counter(video["state"] for video in ours)),
        "reasons": sorted({video["error"] for video in ours if video["error"]}),
        "others_listed": len(videos) - len(accepted),
        "sent_seconds": sent_seconds,
        "ended_seconds": ended_seconds,
    }


def _sent(client: httpx.Client, clip: Path) -> str | None:
    """Send a clip; return its id, None if the gateway was away or could not keep it."""
    try:
        answer = client.post("/v1/videos", files={"file": (clip.name, clip.read_bytes())})
        return str(answer.raise_for_status().json()["id"])
    except httpx.HTTPError:
        return None


def _ended(machine: Machine, client: httpx.Client, count: int) -> dict[str, Any]:
    deadline = time.monotonic() + LONGEST_SECONDS
    found: dict[str, Any] = {}
    while time.monotonic() < deadline:
        try:
            answer = client.get("/v1/videos", params={"limit": 200}).raise_for_status()
            found = {video["id"]: video for video in answer.json()["videos"]}
            if sum(video["state"] in ENDED for video in found.values()) >= count:
                return found
        except httpx.HTTPError:
            pass
        machine.look()
        time.sleep(1)
    return found


def _clip(path: Path, number: int) -> Path:
    if number == BROKEN:
        path.write_bytes(b"\0\0\0\x20ftypisom" + os.urandom(20_000))
    else:
        write_video(path, [numbered_frame((number + i // 25) % 256) for i in range(FRAMES)])
    return path
