# SPDX-License-Identifier: Apache-2.0
"""The page and the figures of the benchmark of durable jobs."""

from typing import Any

from benchmarks.durability.benchmark import BENCHMARK
from benchmarks.durability.headlines import headlines

CRASHED = {
    "kills": [{"killed": "worker", "settled": 30}, {"killed": "triton", "settled": 110}],
    "seconds": 100.0,
    "answers": 190,
    "failures": 10,
    "lost": 0,
    "twice": 0,
    "wrongly_failed": 0,
    "files_that_differ": [],
}
PRICE = {
    "wall_ms": 12.0,
    "cpu_ms": 11.0,
    "in_database_ms": 9.0,
    "statements": {"INSERT a": 1.0},
}
REPORT: dict[str, Any] = {
    "machine": {"cores": ["A", "A"], "python": "3.11", "commit": "abc", "packages": {}},
    "videos": 200,
    "crashes": {
        "sqlite": CRASHED,
        "postgresql": {**CRASHED, "twice": 1, "files_that_differ": ["out.jsonl"]},
        "shuffled": {"answers_that_differ": 0},
    },
    "price": {
        "sqlite": [PRICE],
        "postgresql": [{**PRICE, "wall_ms": 31.0}],
        "workers": [{"1": 10.0, "2": 5.5}],
    },
    "throughput": {"rounds": [{"levels": {"2": 9.0, "4": 10.0}, "concurrency": "4", "job": 9.6}]},
}


def test_each_goal_is_judged_by_its_own_figure():
    (run,) = headlines({"results.json": REPORT})
    met = {headline.what: headline.met for headline in run.headlines}
    assert met == {
        "SQLite, 2 kills: videos lost or double": True,
        "SQLite, 2 kills: files that differ": True,
        "PostgreSQL, 2 kills: videos lost or double": False,
        "PostgreSQL, 2 kills: files that differ": False,
        "another order, one at a time: answers that differ": True,
        "SQLite: price of a video": True,
        "PostgreSQL: price of a video": False,
        "two workers on PostgreSQL": True,
        "throughput of a job": True,
    }


def test_the_page_shows_each_part_that_was_measured():
    page = BENCHMARK.page({"results.json": REPORT})
    assert "| SQLite | worker, triton | 190 | 10 | 0 | 0 | 0 | 100 |" in page
    assert "5.5 s instead of 10.0 s (0.55x)" in page.replace("\n", " ")
    assert "9.6, 4 | 0.96 |" in page
    only = {key: REPORT[key] for key in ("machine", "videos", "price")}
    assert "## Throughput" not in BENCHMARK.page({"results.json": only})
