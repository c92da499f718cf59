# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.past_capacity.table"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.common.words import number, packages, processors

FOLDER = Path(__file__).parent
COMMAND = (
    "python -m benchmarks.past_capacity --rounds {rounds} --output"
    " benchmarks/past_capacity/results.json"
)


@dataclass(frozen=True)
class Row:
    """One number of clients: medians over the rounds."""

    clients: int
    rate: float
    """Whole videos answered a second."""
    p50_ms: float
    """Of those that were let in, as p99_ms."""
    p99_ms: float
    refused_a_second: float
    refusal_p50_ms: float | None
    """None where nobody was refused, as refusal_p99_ms."""
    refusal_p99_ms: float | None
    most_pss_mib: float
    failures: int
    """Of all rounds."""

    @property
    def seconds_an_answer(self) -> float:
        """A client's time for each of its answers, refusals and waits included, by Little's law."""
        return self.clients / self.rate if self.rate else float("inf")


def command(report: dict[str, Any]) -> str:
    """Return the command that measured it."""
    return COMMAND.format(rounds=len(report["rounds"]))


def rows(report: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for each number of clients."""
    for levels in zip(*report["rounds"], strict=True):
        refused = [level for level in levels if level["refused_ms"]]
        yield Row(
            clients=levels[0]["clients"],
            rate=median(len(one["admitted_ms"]) / one["window_seconds"] for one in levels),
            p50_ms=median(_percentile(one["admitted_ms"], 50) for one in levels),
            p99_ms=median(_percentile(one["admitted_ms"], 99) for one in levels),
            refused_a_second=median(
                len(one["refused_ms"]) / one["window_seconds"] for one in levels
            ),
            refusal_p50_ms=_refusals(refused, 50),
            refusal_p99_ms=_refusals(refused, 99),
            most_pss_mib=median(one["most_pss_mib"] for one in levels),
            failures=sum(len(one["failures"]) for one in levels),
        )


def _refusals(levels: list[dict[str, Any]], percent: float) -> float | None:
    if not levels:
        return None
    return median(_percentile(one["refused_ms"], percent) for one in levels)


def _percentile(values: list[float], percent: float) -> float:
    return float(np.percentile(values, percent)) if values else float("nan")


def _line(row: Row) -> str:
    refusal = (
        "" if row.refusal_p50_ms is None else f"{row.refusal_p50_ms:.0f} / {row.refusal_p99_ms:.0f}"
    )
    cells = (
        row.clients,
        number(row.rate),
        number(row.seconds_an_answer),
        number(row.p50_ms),
        number(row.p99_ms),
        f"{row.p99_ms / row.p50_ms:.2f}",
        number(row.refused_a_second),
        refusal,
        number(row.most_pss_mib),
        row.failures,
    )
    return f"| {' | '.join(map(str, cells))} |"


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    machine = report["machine"]
    lines = [
        "# Past capacity",
        "",
        f"`{command(report)}`, medians of {len(report['rounds'])} rounds, on"
        f" {processors(machine)}, Python {machine['python']}, commit {machine['commit']},"
        f" {packages(machine)}. Whole videos of 12 s at 384 px by path, clients and server on the"
        " same cores. Four are under way and 64 wait; who comes beyond them is refused, and asks"
        " again when told to, or up to a quarter later. Times in ms are those of one attempt, from"
        " asking to being told. How long a client is at it for each answer, with all its attempts"
        " and the waiting between them, is not timed: it is computed, as clients / videos a second"
        " (Little's law; every client is always about its next answer).",
        "",
        "| clients | videos/s | seconds an answer, computed | p50 ms, let in | p99 ms | p99/p50 |"
        " refused a second | refusal ms, p50 / p99 | most memory, MiB | other failures |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *map(_line, rows(report)),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
