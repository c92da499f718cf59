# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.slow_sources.table"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.common.words import number, packages, processors

FOLDER = Path(__file__).parent
COMMAND = (
    "python -m benchmarks.slow_sources --before TREE --rounds {rounds} --output"
    " benchmarks/slow_sources/results.json"
)
REQUESTS = {"whole_video_ms": "whole videos", "chunk_ms": "chunks"}


def rows(report: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield a row for each model and kind of request: medians over the rounds."""
    rounds = report["rounds"]
    for tree in rounds[0]:
        for measured in zip(*(one[tree] for one in rounds if tree in one), strict=True):
            slow = number(median(max(one["slow_ms"]) for one in measured) / 1e3)
            for times, words in REQUESTS.items():
                yield (
                    tree,
                    f"`{measured[0]['model']}`",
                    words,
                    *(number(_rate(measured, when, times)) for when in ("alone", "beside")),
                    *(number(_longest(measured, when, times)) for when in ("alone", "beside")),
                    slow,
                )


def _rate(measured: tuple[dict[str, Any], ...], when: str, times: str) -> float:
    return median(len(one[when][times]) / one[when]["seconds"] for one in measured)


def _longest(measured: tuple[dict[str, Any], ...], when: str, times: str) -> float:
    return median(max(one[when][times]) for one in measured)


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    machine = report["machine"]
    command = COMMAND.format(rounds=len(report["rounds"]))
    lines = [
        "# Slow sources",
        "",
        f"`{command}`, medians of {len(report['rounds'])} rounds, on {processors(machine)},"
        f" Python {machine['python']}, commit {machine['commit']}, {packages(machine)}.",
        "",
        "Two clients request whole videos of 12 s at 384 px by path, and two request chunks of them"
        " by path, in a closed loop on the same cores: first alone, then beside"
        f" {report['sources']} requests for chunks of as many URIs, each of which takes"
        f" {report['source_seconds']:g} s to download. *Before* is the commit before fetches moved"
        " beside the extractor. The machine had other work at the time: compare the columns of a"
        " row, not rows.",
        "",
        "| tree | chunks and slow requests to | requests by path | a second, alone | beside |"
        " longest, ms, alone | beside | last slow answer after, s |",
        "|---|---|---|---|---|---|---|---|",
        *(f"| {' | '.join(row)} |" for row in rows(report)),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
