# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.slow_sources.headlines import headlines
from benchmarks.slow_sources.table import COMMAND, page

BENCHMARK = Benchmark(
    name="slow_sources",
    question="What do slow sources leave of the throughput of whole videos and of other chunks?",
    command=COMMAND.format(rounds=2),
    needs="scripts/setup test, and another tree; five minutes for each round",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=11,
)
