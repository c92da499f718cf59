# SPDX-License-Identifier: Apache-2.0
"""A gateway in a process of its own, and what it costs."""

import hashlib
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common.gateway import gateway_process
from trireel_app.engine.database import open_database
from trireel_app.gateway.access.keys import KeyStore
from trireel_app.jobs.store import JobStore

MIB = 2**20
HEAD = b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41"


@dataclass(frozen=True)
class Place:
    """A gateway that runs."""

    folder: Path
    url: str
    headers: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def host(self) -> tuple[str, int]:
        """Address of the gateway's socket."""
        name, _, port = self.url.removeprefix("http://").partition(":")
        return name, int(port)

    def most_memory_mib(self) -> float:
        """Return the most memory that the process has had since the last reset."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1]) / 1024
        raise RuntimeError("the gateway has ended")

    def reset_memory(self) -> None:
        """Let the most memory begin with what the process has now."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def cpu_seconds(self) -> float:
        """Return the CPU seconds of the process."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def gateway(folder: Path) -> Iterator[Place]:
    """Run a gateway with an empty database; no worker takes its videos."""
    folder.mkdir(parents=True)
    database = open_database(str(folder / "jobs.sqlite"))
    JobStore(database)
    key = KeyStore(database).create("bench")
    database.dispose()
    with gateway_process(folder, "--audit-file", folder / "audit.jsonl") as (url, process):
        yield Place(folder, url, {"Authorization": f"Bearer {key}"}, process)


def film(size_bytes: int, seed: int) -> Iterator[bytes]:
    """Yield pieces of 1 MiB of a made-up file that begins as MP4; each seed gives another."""
    block = bytearray(random.Random(seed).randbytes(MIB))
    left = size_bytes
    number = 0
    while left:
        block[:8] = number.to_bytes(8, "big")
        piece = bytes(block[: min(left, MIB)])
        yield (HEAD + piece[len(HEAD) :]) if number == 0 else piece
        left -= len(piece)
        number += 1


def film_sha256(size_bytes: int, seed: int) -> str:
    """Return the hash of a made-up file."""
    digest = hashlib.sha256()
    for piece in film(size_bytes, seed):
        digest.update(piece)
    return digest.hexdigest()


def file_sha256(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
