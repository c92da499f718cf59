# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.cost_by_size.headlines import headlines
from benchmarks.cost_by_size.table import COMMAND, page

BENCHMARK = Benchmark(
    name="cost_by_size",
    question="How do time and memory grow with length, resolution, frames, tags and sequences?",
    command=COMMAND,
    needs="scripts/setup test; two to four minutes for each axis, and as much again for its videos",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=4,
)
