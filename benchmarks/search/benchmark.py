# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.search.headlines import headlines
from benchmarks.search.table import COMMAND, page

BENCHMARK = Benchmark(
    name="search",
    question="How much does a search over 200,000 frames find, and how long does it take?",
    command=COMMAND,
    needs="scripts/setup test, 4 GiB of memory; ten minutes on two cores",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=12,
)
