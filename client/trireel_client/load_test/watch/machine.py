# SPDX-License-Identifier: Apache-2.0
"""The machine of the load generator."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil

PACKAGES = ("trireel-client", "tritonclient", "grpcio", "geventhttpclient", "numpy", "psutil")
CPUINFO = Path("/proc/cpuinfo")


def describe() -> dict[str, Any]:
    """Return processor, memory, system and versions, without names of hosts or users."""
    return {
        "processor": _processor(),
        "cpus": psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: _version(name) for name in PACKAGES},
    }


def _processor() -> str:
    if CPUINFO.is_file():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
