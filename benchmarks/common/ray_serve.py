# SPDX-License-Identifier: Apache-2.0
"""Pipelines on Ray Serve: their environment, and the command of their server."""

import contextlib
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common.record import BENCHMARKS, ROOT
from benchmarks.common.server import Command
from trireel_backend.launch.ports import LOOPBACK, Ports

REQUIREMENTS = BENCHMARKS / "peer_ray_serve/requirements.txt"
CACHE = Path(tempfile.gettempdir()) / "trireel-peer-ray-serve"
PEER_PACKAGES = ("ray", "fastapi", "uvicorn", "onnxruntime", "numpy", "imageio-ffmpeg")


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


def peer_versions(python: Path) -> dict[str, str]:
    """Return the versions of the pipeline's packages."""
    code = "import json, sys; from importlib.metadata import version;"
    code += "print(json.dumps({name: version(name) for name in sys.argv[1:]}))"
    command = [str(python), "-c", code, *PEER_PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(done.stdout)
    return versions


@contextlib.contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield a folder for Ray, whose sockets need a short path; it is removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="ray-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
