# SPDX-License-Identifier: Apache-2.0
"""What the numbers were measured on."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import av
import imageio_ffmpeg

PACKAGES = ("av", "imageio-ffmpeg", "decord", "torchcodec", "torch")


def describe() -> dict[str, object]:
    """Return the processor, the versions and the commit."""
    return {
        "processor": platform.machine(),
        "cores": _cores(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
        "libavcodec": ".".join(map(str, av.library_versions["libavcodec"])),
        "ffmpeg": imageio_ffmpeg.get_ffmpeg_version(),
        "commit": _commit(),
    }


def _cores() -> list[str]:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.split(":")[1].strip() for line in lines if line.startswith("model name")]


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None
