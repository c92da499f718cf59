# SPDX-License-Identifier: Apache-2.0
"""The figures and the page of the results."""

from collections.abc import Iterator

from benchmarks.common.pages import document, packages, paragraph, processors, table
from benchmarks.common.record import Goal, Headline, Raw, Run

COMMAND = "python -m benchmarks.gateway"
MOST_MS = Goal(10, at_most=True)


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the run."""
    report = raw.get("results.json")
    if not report:
        return
    ways = {way["way"]: way for way in report["ways"]}
    by_hand = ways["file by hand"]["p50_ms"]
    yield Run(
        "Gateway",
        COMMAND,
        report["machine"],
        (
            Headline(
                "added to a stored result, p50",
                ways["result"]["p50_ms"] - by_hand,
                "ms",
                goal=MOST_MS,
            ),
            Headline("stored result, unchanged (304), p50", ways["unchanged"]["p50_ms"], "ms"),
            Headline("picture of a scene, p50", ways["picture"]["p50_ms"], "ms"),
        ),
    )


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Gateway: what it adds to a request for a stored result",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, {packages(machine)}, commit"
            f" {machine['commit']}. One client with one connection on loopback, one request after"
            f" another, {report['requests']} of each kind; a result of"
            f" {report['result_bytes']} bytes, SQLite, a library in a folder. The load was"
            f" {report['load']:.1f} on {report['cores']} cores when it began. `file by hand` reads"
            " the record and the answer from the library's folder without the gateway."
        ),
        table(
            "request | p50, ms | p95, ms",
            (
                (way["way"], f"{way['p50_ms']:.2f}", f"{way['p95_ms']:.2f}")
                for way in report["ways"]
            ),
        ),
    )
