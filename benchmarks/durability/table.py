# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.common.pages import document, number, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.durability --videos {videos} --rounds {rounds}"
DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
MOST_STATEMENTS = 12


def command(report: Any) -> str:
    """Return the command that made a report."""
    rounds = len(report.get("price", {}).get("sqlite", [])) or 3
    return COMMAND.format(videos=report["videos"], rounds=rounds)


def page(raw: Raw) -> str:
    """Return the page of the raw numbers."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Durable jobs",
        paragraph(
            f"`{command(report)}` on {processors(machine)}, Python {machine['python']}, commit"
            f" {machine['commit']}, {packages(machine)}. Workers, server and database run on the"
            " same cores."
        ),
        *_crashes(report),
        *_price(report),
        *_throughput(report),
    )


def _crashes(report: Any) -> Iterator[str]:
    found = report.get("crashes")
    if not found:
        return
    yield "## Kills"
    yield paragraph(
        "Small clips, one in twenty broken. The worker is killed three times by SIGKILL, and the"
        " same command starts it again; Triton is killed once, and so is PostgreSQL. The files of"
        " the output are compared with those of an undisturbed job, byte for byte."
    )
    rows = [
        (
            DATABASES[name],
            ", ".join(kill["killed"] for kill in found[name]["kills"]),
            found[name]["answers"],
            found[name]["failures"],
            found[name]["lost"],
            found[name]["twice"],
            len(found[name]["files_that_differ"]),
            number(found[name]["seconds"], 0),
        )
        for name in DATABASES
        if name in found
    ]
    heads = "database | killed | answers | failures | lost | twice | files that differ | seconds"
    yield table(heads, rows)
    differ = found["shuffled"]["answers_that_differ"]
    yield paragraph(
        f"The same videos in another order, one at a time instead of four: {differ} answers differ."
    )


def _price(report: Any) -> Iterator[str]:
    found = report.get("price")
    if not found:
        return
    yield "## Price of a video"
    yield paragraph(
        "One worker before a client whose answers are ready: the time a video takes is the price"
        " of durability, with hashing a small file and writing its part of the output. Medians of"
        f" {len(found['sqlite'])} rounds."
    )
    rows = [
        (label, *(number(median(each[key] for each in found[name]), 1) for key in KEYS))
        for name, label in DATABASES.items()
    ]
    yield table("database | ms a video | ms of CPU | ms in statements, of all threads", rows)
    statements = found["sqlite"][-1]["statements"]
    yield paragraph("Statements a video on SQLite:")
    yield table(
        "statement | times",
        [
            (f"`{name}`", number(count, 2))
            for name, count in list(statements.items())[:MOST_STATEMENTS]
        ],
    )
    one, two = (median(each[count] for each in found["workers"]) for count in ("1", "2"))
    yield paragraph(
        "Two workers on one PostgreSQL, answers that take 1 s, four at a time for each worker:"
        f" {number(two, 1)} s instead of {number(one, 1)} s ({two / one:.2f}x)."
    )


KEYS = ("wall_ms", "cpu_ms", "in_database_ms")


def _throughput(report: Any) -> Iterator[str]:
    found = report.get("throughput")
    if not found:
        return
    yield "## Throughput"
    yield paragraph(
        "Videos of 12 s at 384 px by turns: `trireel load-test` at several concurrencies, then a"
        " job on SQLite at the best of them, from its first answers to its last one."
    )
    levels = list(found["rounds"][0]["levels"])
    heads = " | ".join(["round", *(f"load-test, {level}" for level in levels), "job, at", "ratio"])
    rows = [
        (
            index,
            *(number(each["levels"][level], 1) for level in levels),
            f"{number(each['job'], 1)}, {each['concurrency']}",
            f"{each['job'] / max(each['levels'].values()):.2f}",
        )
        for index, each in enumerate(found["rounds"], 1)
    ]
    yield table(heads, rows)
