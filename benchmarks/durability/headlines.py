# SPDX-License-Identifier: Apache-2.0
"""Lost and doubled videos after kills, the price of a video, and throughput beside a load test."""

from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks.common.record import NO_MORE, Goal, Headline, Raw, Run
from benchmarks.durability.table import DATABASES, command

PRICE = {"sqlite": Goal(15, at_most=True), "postgresql": Goal(30, at_most=True)}
"""Milliseconds that durability adds to a video."""
TWO_WORKERS = Goal(0.6, at_most=True)
"""Time with two workers, divided by that with one."""
THROUGHPUT = Goal(0.95)
"""Videos a second of a job, divided by those of the load test."""


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the parts that were measured."""
    if report := raw.get("results.json"):
        figures = (*_crashes(report), *_price(report), *_throughput(report))
        yield Run("Durable jobs", command(report), report["machine"], figures)


def _crashes(report: Any) -> Iterator[Headline]:
    for name, label in DATABASES.items():
        found = report.get("crashes", {}).get(name)
        if found:
            wrong = found["lost"] + found["twice"] + found["wrongly_failed"]
            kills = len(found["kills"])
            yield Headline(f"{label}, {kills} kills: videos lost or double", wrong, goal=NO_MORE)
            differ = len(found["files_that_differ"])
            yield Headline(f"{label}, {kills} kills: files that differ", differ, goal=NO_MORE)
    if shuffled := report.get("crashes", {}).get("shuffled"):
        differ = shuffled["answers_that_differ"]
        yield Headline("another order, one at a time: answers that differ", differ, goal=NO_MORE)


def _price(report: Any) -> Iterator[Headline]:
    found = report.get("price")
    if not found:
        return
    for name, label in DATABASES.items():
        wall_ms = median(each["wall_ms"] for each in found[name])
        yield Headline(f"{label}: price of a video", wall_ms, "ms", goal=PRICE[name])
    one, two = (median(each[count] for each in found["workers"]) for count in ("1", "2"))
    yield Headline("two workers on PostgreSQL", two, "s", "one worker", one, TWO_WORKERS)


def _throughput(report: Any) -> Iterator[Headline]:
    if found := report.get("throughput"):
        rounds = found["rounds"]
        ours = median(each["job"] for each in rounds)
        load_test = median(max(each["levels"].values()) for each in rounds)
        yield Headline(
            "throughput of a job", ours, "videos/s", "trireel load-test", load_test, THROUGHPUT
        )
