# SPDX-License-Identifier: Apache-2.0
"""Medians over the rounds, and the page of the results."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

from benchmarks.common.pages import document, number, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = (
    "python -m benchmarks.slow_sources --before TREE --rounds {rounds} --output"
    " benchmarks/slow_sources/results.json"
)
REQUESTS = {"whole_video_ms": "whole videos", "chunk_ms": "chunks"}


@dataclass(frozen=True)
class Row:
    """One kind of request, alone and beside slow requests to a model: medians over the rounds."""

    tree: str
    """`before` or `after` the change."""
    model: str
    requests: str
    """One of REQUESTS."""
    alone: float
    """Answers a second without slow sources."""
    beside: float
    """Answers a second beside slow sources."""
    longest_alone_ms: float
    longest_beside_ms: float
    slow_seconds: float
    """Seconds until the last slow request was answered."""


def command(report: dict[str, Any]) -> str:
    """Return the command that measured it."""
    return COMMAND.format(rounds=len(report["rounds"]))


def rows(report: dict[str, Any]) -> Iterator[Row]:
    """Yield a row for each tree, model and kind of request."""
    rounds = report["rounds"]
    for tree in rounds[0]:
        for measured in zip(*(one[tree] for one in rounds), strict=True):
            for requests in REQUESTS:
                yield Row(
                    tree=tree,
                    model=measured[0]["model"],
                    requests=requests,
                    alone=_rate(measured, "alone", requests),
                    beside=_rate(measured, "beside", requests),
                    longest_alone_ms=_longest(measured, "alone", requests),
                    longest_beside_ms=_longest(measured, "beside", requests),
                    slow_seconds=median(max(one["slow_ms"]) for one in measured) / 1e3,
                )


def _cells(row: Row) -> tuple[str, ...]:
    figures = (row.alone, row.beside, row.longest_alone_ms, row.longest_beside_ms, row.slow_seconds)
    return (row.tree, f"`{row.model}`", REQUESTS[row.requests], *map(number, figures))


def _rate(measured: tuple[dict[str, Any], ...], when: str, times: str) -> float:
    return median(len(one[when][times]) / one[when]["seconds"] for one in measured)


def _longest(measured: tuple[dict[str, Any], ...], when: str, times: str) -> float:
    return median(max(one[when][times]) for one in measured)


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Slow sources",
        paragraph(
            f"`{command(report)}`, medians of {len(report['rounds'])} rounds, on"
            f" {processors(machine)}, Python {machine['python']}, commit {machine['commit']},"
            f" {packages(machine)}."
        ),
        paragraph(
            "Two clients request whole videos of 12 s at 384 px by path, and two request chunks of"
            " them by path, in a closed loop on the same cores: first alone, then beside"
            f" {report['sources']} requests for chunks of as many URIs, each of which takes"
            f" {report['source_seconds']:g} s to download. *Before* is the commit before fetches"
            " moved beside the extractor. Other programs used the same CPUs meanwhile, more or"
            " less of them from minute to minute: a rate that changes by less than two says"
            " nothing."
        ),
        table(
            "tree | chunks and slow requests to | requests by path | a second, alone | beside |"
            " longest, ms, alone | beside | last slow answer after, s",
            map(_cells, rows(report)),
        ),
    )
