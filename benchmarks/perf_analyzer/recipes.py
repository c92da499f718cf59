# SPDX-License-Identifier: Apache-2.0
"""The recipes: one command line of perf_analyzer each."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

Protocol = Literal["grpc", "http"]
PROTOCOLS: tuple[Protocol, ...] = ("grpc", "http")

PROGRAM = "scripts/perf_analyzer"
LEVELS = "1:16:5"
"""Requests in flight, or sequences: 1, 6, 11, 16."""
FEW_LEVELS = "1:7:3"
"""Whole videos in flight, of which each takes a second on two cores: 1, 4, 7."""
WINDOW_MS = 1000
"""Length of a window; the result of a level is from three windows in a row that agree."""
CHUNK_WINDOW_MS = 2000
VIDEO_WINDOW_MS = 3000
# Server and perf_analyzer share the cores: p50 to p99 show how much the times varied.
STABLE_PERCENT = 50
MOST_WINDOWS = 10
QUICK_LEVELS = "2"
QUICK_DIVISOR = 3
QUICK_STABLE_PERCENT = 999


@dataclass(frozen=True)
class Recipe:
    """One run of perf_analyzer, over all its levels of concurrency."""

    model: str
    protocol: Protocol
    data: str
    """Name of the file of input data."""
    variant: str = ""
    """Part of the name that tells recipes of one model apart, beside the protocol."""
    batch: int = 1
    shared_memory: bool = False
    levels: str = LEVELS
    window_ms: int = WINDOW_MS
    sequences: bool = False
    """Whether requests belong to sequences; a file has several streams of them."""

    @property
    def name(self) -> str:
        """Name of the recipe and of its CSV."""
        parts = (self.model, self.variant, self.protocol, "shm" if self.shared_memory else "")
        return "-".join(part for part in parts if part)

    def command(self, url: str, data: Path, csv: Path, quick: bool = False) -> list[str]:
        """Return the command line, to be run in the root of the repository.

        Args:
            url: address of the server for the recipe's protocol, HOST:PORT.
            data: folder of the input data.
            csv: file that perf_analyzer writes its report into.
            quick: whether one level with short windows is enough, whatever its result.
        """
        levels = QUICK_LEVELS if quick else self.levels
        window_ms = self.window_ms // QUICK_DIVISOR if quick else self.window_ms
        stable_percent = QUICK_STABLE_PERCENT if quick else STABLE_PERCENT
        command = [PROGRAM, "-m", self.model, "-u", url, "-i", self.protocol]
        command += ["--async", "--concurrency-range", levels]
        command += ["-b", str(self.batch)] if self.batch > 1 else []
        # One request of a sequence at a time: a video's chunks must not overtake each other.
        command += ["--serial-sequences"] if self.sequences else []
        command += ["--shared-memory", "system"] if self.shared_memory else []
        command += ["--input-data", str(data / self.data)]
        command += ["--measurement-interval", str(window_ms)]
        command += ["--stability-percentage", str(stable_percent)]
        return [*command, "--max-trials", str(MOST_WINDOWS), "-f", str(csv)]


def _recipes() -> Iterator[Recipe]:
    for batch, shared, protocol in product((1, 4, 16), (False, True), PROTOCOLS):
        yield Recipe("siglip_vision", protocol, "frames.json", f"b{batch}", batch, shared)
    for batch, protocol in product((1, 16), PROTOCOLS):
        yield Recipe("siglip_text", protocol, "texts.json", f"b{batch}", batch)
    for protocol in PROTOCOLS:
        window_ms = CHUNK_WINDOW_MS
        yield Recipe("video_chunk", protocol, "chunks.json", window_ms=window_ms, sequences=True)
    sources = {"videos.json": "", "uploads.json": "upload"}
    for (data, variant), protocol in product(sources.items(), PROTOCOLS):
        few = {"levels": FEW_LEVELS, "window_ms": VIDEO_WINDOW_MS}
        yield Recipe("video_analysis", protocol, data, variant, **few)


RECIPES = {recipe.name: recipe for recipe in _recipes()}
