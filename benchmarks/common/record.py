# SPDX-License-Identifier: Apache-2.0
"""The record that each benchmark has, and the figures on the common page of results.

A folder that holds a `benchmark.py` with a `BENCHMARK` is a benchmark; there is no other list.
"""

import argparse
import csv
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.common.pages import number

BENCHMARKS = Path(__file__).parents[1]
ROOT = BENCHMARKS.parent
MODULE = "benchmark.py"
Raw = Mapping[str, Any]
"""Raw numbers by file name: JSON as it is, CSV as a list of rows."""


@dataclass(frozen=True)
class Goal:
    """A bound for a figure."""

    bound: float
    at_most: bool = False

    def met_by(self, found: float) -> bool:
        """Return whether a figure is within the bound; the bound itself is."""
        return found <= self.bound if self.at_most else found >= self.bound

    def __str__(self) -> str:
        return f"at {'most' if self.at_most else 'least'} {self.bound:g}"


LINEAR = Goal(1.1, at_most=True)
"""Time a minute of a long video, divided by that of a short one."""
FLAT = Goal(1.1, at_most=True)
"""The most memory for a long video, divided by that for a short one."""
NO_MORE = Goal(0, at_most=True)


@dataclass(frozen=True)
class Headline:
    """One figure of the common page."""

    what: str
    value: float | None = None
    """Trireel's figure; None if there is none."""
    unit: str = ""
    beside: str = ""
    """Name of what the figure is compared with."""
    usual: float | None = None
    """The figure of `beside`; None if it has none."""
    goal: Goal | None = None
    """Bound for the ratio, or for the value if there is no ratio."""
    decimals: int | None = None
    """Decimals of the values; None for three significant digits."""

    @property
    def ratio(self) -> float | None:
        """The value divided by the figure it is compared with."""
        return None if self.value is None or self.usual is None else self.value / self.usual

    @property
    def judged(self) -> float | None:
        """The figure that the goal is for."""
        return self.value if self.ratio is None else self.ratio

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None without a goal."""
        if self.goal is None:
            return None
        return self.judged is not None and self.goal.met_by(self.judged)

    def text(self, value: float | None) -> str:
        """Return one of the values as it is printed; "" for None."""
        return "" if value is None else number(value, self.decimals)


@dataclass(frozen=True)
class Run:
    """The figures of one file of raw numbers."""

    title: str
    command: str
    machine: Mapping[str, Any]
    """The machine's record in the file."""
    headlines: tuple[Headline, ...]
    note: str = ""
    """A remark that is needed to read the figures."""


@dataclass(frozen=True)
class Benchmark:
    """Everything that the rest of the project knows of one benchmark."""

    name: str
    """Name of its folder; `python -m benchmarks.NAME` measures."""
    question: str
    """The question that it answers, in one line."""
    command: str
    """Command that measures the committed numbers."""
    needs: str
    """Environment, programs and time that a run needs."""
    raw: tuple[str, ...]
    """Patterns of its files of raw numbers, in its folder."""
    page: Callable[[Raw], str]
    """Makes its RESULTS.md of the raw numbers."""
    headlines: Callable[[Raw], Iterator[Run]]
    """Makes its part of the common page; yields nothing for files that are missing."""
    position: int
    """Position on the common page."""

    @property
    def folder(self) -> Path:
        """The folder of the benchmark."""
        return BENCHMARKS / self.name

    def read(self, folder: Path | None = None) -> Raw:
        """Return the raw numbers that are there."""
        folder = folder or self.folder
        files = (file for pattern in self.raw for file in sorted(folder.glob(pattern)))
        return {str(file.relative_to(folder)): _read(file) for file in files}

    def parser(self) -> argparse.ArgumentParser:
        """Return a parser of the command line whose help names the question and the needs."""
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{self.name}",
            description=f"{self.question}\n\nNeeds: {self.needs}\nTypical run: {self.command}\n"
            f"Then: python -m benchmarks.results, which writes benchmarks/{self.name}/RESULTS.md",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if len(self.raw) == 1 and "/" not in self.raw[0]:
            default = self.folder / self.raw[0]
            parser.add_argument("--output", type=Path, default=default, help="raw numbers, JSON")
        return parser


def find_benchmarks() -> list[Benchmark]:
    """Return the benchmarks of all folders, in the order of the common page."""
    modules = (
        f"benchmarks.{file.parent.name}.benchmark" for file in BENCHMARKS.glob(f"*/{MODULE}")
    )
    found: list[Benchmark] = [import_module(module).BENCHMARK for module in modules]
    return sorted(found, key=lambda benchmark: (benchmark.position, benchmark.name))


def write_raw(file: Path, report: Mapping[str, Any]) -> None:
    """Write raw numbers; a run writes them again after every step, so that none is lost."""
    file.write_text(json.dumps(report, indent=1) + "\n")


def _read(file: Path) -> Any:
    if file.suffix == ".json":
        return json.loads(file.read_text())
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
