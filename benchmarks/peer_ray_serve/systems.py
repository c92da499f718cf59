# SPDX-License-Identifier: Apache-2.0
"""The two systems and their tower: set-up and command lines; and the load generator's process."""

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

from benchmarks.common.record import ROOT
from benchmarks.common.server import EXPORT, Command, served
from benchmarks.common.stores import Store
from trireel_backend.launch.ports import LOOPBACK, Ports
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE, VISION_FILE

REQUIREMENTS = Path(__file__).parent / "requirements.txt"
TOWERS = ("tiny", "base")
BASE = "base-patch16-224"
# Run in a process of its own, which frees its gigabytes. The checkpoint itself is not kept.
EXPORT_BASE = """
import sys, tempfile
from pathlib import Path
from benchmarks.common.towers import make_checkpoint
from trireel_export.export import export

name, cache, target = sys.argv[1:]
with tempfile.TemporaryDirectory(dir=cache) as folder:
    export(str(make_checkpoint(name, Path(folder))), Path(target), progress=print)
"""


@dataclass(frozen=True)
class Tower:
    """An export, as Trireel serves it."""

    export: Path

    @property
    def onnx(self) -> Path:
        """The graph of the vision tower; the pipeline on Ray Serve runs it too."""
        return self.export / VISION_FILE

    @property
    def bank(self) -> Path:
        """The texts and their embeddings."""
        return self.export / TEXT_BANK_FILE

    @property
    def size_px(self) -> int:
        """Width and height of the pictures."""
        return int(json.loads((self.export / METADATA_FILE).read_text())["image_size_px"])


def find_tower(name: str, cache: Path) -> Tower:
    """Return the bundled tower, or one of base size, whose export on first use takes minutes."""
    if name == "tiny":
        return Tower(EXPORT)
    export = cache / f"export-{BASE}"
    if not (export / METADATA_FILE).exists():
        print(f"Exporting {BASE} with random weights, once.", flush=True)
        command = [sys.executable, "-c", EXPORT_BASE, BASE, str(cache), str(export)]
        subprocess.run(command, check=True, cwd=ROOT)
    return Tower(export)


def trireel(tower: Tower, store: Store, media: Path, tower_engine: str) -> Command:
    """Return Trireel's command; all options but the runtime of the tower are defaults."""
    options = ["--export", str(tower.export), "--media", str(media), "--tower-engine", tower_engine]
    return served(*options, **store.environment)


@dataclass(frozen=True)
class Peer:
    """The options of the pipeline on Ray Serve."""

    python: Path
    extraction: str
    """`chunks`: an ffmpeg for each chunk; `video`: one for the whole video."""
    frame_px: int
    """Width and height that ffmpeg scales to; a second resize makes them the tower's size."""


def ray_serve(peer: Peer, tower: Tower, store: Store, temporary: Path) -> Command:
    """Return the command of the pipeline on Ray Serve."""
    arguments = ["--onnx", str(tower.onnx), "--bank", str(tower.bank)]
    arguments += ["--size-px", str(tower.size_px), "--frame-px", str(peer.frame_px)]
    arguments += ["--extraction", peer.extraction]
    module = "benchmarks.peer_ray_serve.peer.serve"
    return on_ray(peer.python, module, arguments, temporary, **store.environment)


def on_ray(
    python: Path, module: str, arguments: list[str], temporary: Path, **variables: str
) -> Command:
    """Return the command of a pipeline on Ray Serve, on a free port.

    Args:
        python: Python with the packages of requirements.txt.
        temporary: folder for Ray's sockets and logs.
        variables: environment variables of the command.
    """
    port = Ports.free().http
    command = [str(python), "-m", module, "--port", str(port), "--temporary", str(temporary)]
    environment = {
        **variables,
        "PYTHONPATH": str(ROOT),
        # Ray writes no token into the home folder, and sends no usage reports.
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    address = f"{LOOPBACK}:{port}"
    return Command("ray_serve", command + arguments, environment, address, "Ray Serve is ready")


def peer_python(cache: Path) -> Path:
    """Return the Python with the pipeline's packages, which are installed on first use."""
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

    def __init__(self, command: Command, module: str = "benchmarks.peer_ray_serve.asker") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, command.name, command.address],
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
        """Send a command and return its result; `event` is called with events on the way."""
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
        found: dict[str, Any] = json.loads(line)
        return found


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for Ray, whose sockets need a short path; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
