# SPDX-License-Identifier: Apache-2.0
"""Processors, versions and commit, by the standard library alone."""

import subprocess
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

NO_CODE = ("benchmarks/**/*.json", "benchmarks/**/*.csv", "**/*.md")
"""Raw numbers, which a benchmark itself writes anew, and pages: nothing measured turns on them."""


def processors() -> list[str]:
    """Return the name of every core's processor; empty where the kernel does not tell."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return [line.split(":")[1].strip() for line in lines if line.startswith("model name")]


def versions(packages: Iterable[str]) -> dict[str, str | None]:
    """Return the packages' versions, None for one that is not installed."""
    return {name: _version(name) for name in packages}


def commit(folder: Path = Path(__file__).parent) -> str | None:
    """Return the commit of a folder's repository, None where git or the repository is missing.

    It ends with `-dirty` where a file of the repository has changed since, other than NO_CODE.
    """
    found = _git(folder, "rev-parse", "--short", "HEAD")
    if not found:
        return None
    # Without its locks git leaves the index alone, which somebody else may be at.
    status = ("--no-optional-locks", "status", "--porcelain", "--untracked-files=no", "--")
    changed = _git(folder, *status, ":(top)", *(f":(top,exclude,glob){one}" for one in NO_CODE))
    return f"{found}-dirty" if changed else found


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
