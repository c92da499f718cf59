# SPDX-License-Identifier: Apache-2.0
"""Processors, versions and commit, by the standard library alone."""

import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def processors() -> list[str]:
    """Return the name of every core's processor; empty where the kernel does not tell."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.split(":")[1].strip() for line in lines if line.startswith("model name")]


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the packages' versions, None for one that is not installed."""
    return {name: _version(name) for name in packages}


def commit() -> str | None:
    """Return this repository's commit, None where git or the repository is missing."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout.strip() or None


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
