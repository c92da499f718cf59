# SPDX-License-Identifier: Apache-2.0
"""The two systems: how each is set up and started, and how its asker is led."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.common.server import ROOT, Command, served
from benchmarks.peer_ray_serve.stores import Store
from benchmarks.peer_ray_serve.tower import Tower
from trireel_backend.launch.ports import LOOPBACK, Ports

REQUIREMENTS = Path(__file__).parent / "requirements.txt"


def trireel(tower: Tower, store: Store, media: Path, tower_engine: str) -> Command:
    """Return Trireel's command, as scripts/serve runs it; all but the engine is as by default."""
    options = ["--export", str(tower.export), "--media", str(media), "--tower-engine", tower_engine]
    return served(*options, **store.environment)


@dataclass(frozen=True)
class Peer:
    """What may be chosen of the pipeline on Ray Serve."""

    python: Path
    extraction: str
    """`chunks`: one ffmpeg a chunk; `video`: one for the whole video."""
    frame_px: int
    """Width and height that ffmpeg scales to; the tower's size is reached by another resize."""


def ray_serve(peer: Peer, tower: Tower, store: Store, temporary: Path) -> Command:
    """Return the command of the pipeline on Ray Serve."""
    port = Ports.free().http
    arguments = [
        *(str(peer.python), "-m", "benchmarks.peer_ray_serve.peer.serve"),
        *("--port", str(port), "--temporary", str(temporary)),
        *("--onnx", str(tower.onnx), "--bank", str(tower.bank)),
        *("--size-px", str(tower.size_px), "--frame-px", str(peer.frame_px)),
        *("--extraction", peer.extraction),
    ]
    environment = {
        **store.environment,
        "PYTHONPATH": str(ROOT),
        # A token would be kept in the home folder, and reports would find no way out.
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    return Command("ray_serve", arguments, environment, f"{LOOPBACK}:{port}", "Ray Serve is ready")


def peer_python(cache: Path) -> Path:
    """Return the Python with the pipeline's packages, set up in the cache on first use."""
    folder = cache / "peer-venv"
    stamp, wanted = folder / "stamp", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"Setting up {folder}, once.", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        pip = [str(folder / "bin/python"), "-m", "pip", "install", "-qq"]
        subprocess.run([*pip, "--disable-pip-version-check", "-r", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return folder / "bin/python"


class Asker:
    """The load generator's process."""

    def __init__(self, command: Command) -> None:
        own = "benchmarks.peer_ray_serve.asker"
        self._process = subprocess.Popen(
            [sys.executable, "-m", own, command.name, command.address],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._read()

    def __enter__(self) -> "Asker":
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.stdin.close()
        if kind is not None:  # it may be in the middle of a level
            self._process.terminate()
        self._process.wait()

    def do(self, event: Callable[[str], None] = lambda name: None, **command: Any) -> Any:
        """Have a command done; `event` is told of what happens on the way."""
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        while "event" in (found := self._read()):
            event(found["event"])
        (result,) = found.values()
        return result

    def _read(self) -> dict[str, Any]:
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the load generator ended; its error is above")
        return json.loads(line)


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for Ray, whose sockets want a short path; nothing of it is left."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
