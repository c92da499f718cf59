# SPDX-License-Identifier: Apache-2.0
"""The recipes: what perf_analyzer is asked to do, each as one command line."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from trireel_backend.launch.ports import LOOPBACK, Ports

Protocol = Literal["grpc", "http"]

PROGRAM = "scripts/perf_analyzer"
LEVELS = "1:16:5"
"""Requests (of sequences: sequences) under way: 1, 6, 11, 16."""
FEW_LEVELS = "1:7:3"
"""Of whole videos, which take a second each on two cores: 1, 4, 7."""
WINDOW_MS = 1000
"""A level's result is of three windows in a row that agree."""
CHUNK_WINDOW_MS = 2000
VIDEO_WINDOW_MS = 3000
# Neither server nor perf_analyzer has a core of its own here: p50 to p99 tell how much it varied.
STABLE_PERCENT = 50
MOST_WINDOWS = 10
QUICK_LEVELS = "2"
QUICK_DIVISOR = 3
QUICK_STABLE_PERCENT = 999


@dataclass(frozen=True)
class Servers:
    """Where the server is asked, by protocol, and where it tells its metrics."""

    grpc: str
    http: str
    metrics: str

    @classmethod
    def at(cls, ports: Ports) -> "Servers":
        """Return the addresses of a server on this machine."""
        return cls(*(f"{LOOPBACK}:{port}" for port in (ports.grpc, ports.http, ports.metrics)))

    def url(self, protocol: Protocol) -> str:
        """Return where a protocol is spoken."""
        return self.grpc if protocol == "grpc" else self.http


@dataclass(frozen=True)
class Recipe:
    """One run of perf_analyzer, over all its levels of concurrency."""

    model: str
    protocol: Protocol
    data: str
    """Name of the file of input data."""
    variant: str = ""
    """What tells it from others of the same model, beside the protocol."""
    batch: int = 1
    shared_memory: bool = False
    levels: str = LEVELS
    window_ms: int = WINDOW_MS
    sequences: bool = False
    """Whether requests belong to sequences, a file's streams in turn."""

    @property
    def name(self) -> str:
        """Return what it and its CSV are called."""
        parts = (self.model, self.variant, self.protocol, "shm" if self.shared_memory else "")
        return "-".join(part for part in parts if part)

    def command(self, servers: Servers, data: Path, csv: Path, quick: bool = False) -> list[str]:
        """Return the command line, to be run in the repository's root.

        Args:
            data: folder of the input data.
            csv: where perf_analyzer writes its report.
            quick: one level, short windows, whatever they tell.
        """
        levels = QUICK_LEVELS if quick else self.levels
        window_ms = self.window_ms // QUICK_DIVISOR if quick else self.window_ms
        stable_percent = QUICK_STABLE_PERCENT if quick else STABLE_PERCENT
        return [
            *(PROGRAM, "-m", self.model, "-u", servers.url(self.protocol), "-i", self.protocol),
            *("--async", "--concurrency-range", levels),
            *(("-b", str(self.batch)) if self.batch > 1 else ()),
            # One request of a sequence at a time: a video's chunks must not overtake each other.
            *(("--serial-sequences",) if self.sequences else ()),
            *(("--shared-memory", "system") if self.shared_memory else ()),
            *("--input-data", str(data / self.data)),
            *("--measurement-interval", str(window_ms)),
            *("--stability-percentage", str(stable_percent), "--max-trials", str(MOST_WINDOWS)),
            *("-f", str(csv)),
        ]


def _tower() -> Iterator[Recipe]:
    for batch in (1, 4, 16):
        for shared_memory in (False, True):
            for protocol in ("grpc", "http"):
                yield Recipe(
                    "siglip_vision", protocol, "frames.json", f"b{batch}", batch, shared_memory
                )


def _texts() -> Iterator[Recipe]:
    for batch in (1, 16):
        for protocol in ("grpc", "http"):
            yield Recipe("siglip_text", protocol, "texts.json", f"b{batch}", batch)


def _chunks() -> Iterator[Recipe]:
    for protocol in ("grpc", "http"):
        yield Recipe(
            "video_chunk", protocol, "chunks.json", window_ms=CHUNK_WINDOW_MS, sequences=True
        )


def _videos() -> Iterator[Recipe]:
    for data, variant in (("videos.json", ""), ("uploads.json", "upload")):
        for protocol in ("grpc", "http"):
            yield Recipe(
                "video_analysis", protocol, data, variant,
                levels=FEW_LEVELS, window_ms=VIDEO_WINDOW_MS,
            )  # fmt: skip


RECIPES = {recipe.name: recipe for recipe in (*_tower(), *_texts(), *_chunks(), *_videos())}
