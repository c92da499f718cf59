# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.durability.headlines import headlines
from benchmarks.durability.table import COMMAND, page

BENCHMARK = Benchmark(
    name="durability",
    question="Does a job of many videos survive kills, and what does that cost?",
    command=COMMAND.format(videos=200, rounds=3),
    needs="scripts/setup test; twenty minutes on two idle cores",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=8,
)
