# SPDX-License-Identifier: Apache-2.0
"""The machine, the versions and the commit that numbers were measured with."""

import platform
import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("av", "imageio-ffmpeg", "onnxruntime", "numpy", "torch")
NO_CODE = ("benchmarks/**/*.json", "benchmarks/**/*.csv", "**/*.md")
"""Raw numbers and pages: a change of these files does not change what is measured."""


def describe(packages: Iterable[str] = PACKAGES) -> dict[str, Any]:
    """Return the record of this machine that stands in a file of raw numbers."""
    return {
        "processor": platform.machine(),
        "cores": core_names(),
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in packages},
        "commit": commit(),
    }


def core_names() -> list[str]:
    """Return the processor's name once for each core; empty if the kernel reports no names."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.split(":")[1].strip() for line in lines if line.startswith("model name")]


def commit(folder: Path = Path(__file__).parent) -> str | None:
    """Return the commit of a folder's repository; None without git or without a repository.

    It ends with `-dirty` if a tracked file other than NO_CODE has changed since the commit.
    """
    found = _git(folder, "rev-parse", "--short", "HEAD")
    if not found:
        return None
    # Without locks: git does not rewrite an index that another process may be using.
    status = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--")
    changed = _git(folder, *status, ":(top)", *(f":(top,exclude,glob){path}" for path in NO_CODE))
    return f"{found}-dirty" if changed else found


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    except FileNotFoundError:
        return ""


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
