# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.perf_analyzer.headlines import headlines
from benchmarks.perf_analyzer.table import COMMAND, page

BENCHMARK = Benchmark(
    name="perf_analyzer",
    question="What throughput and latency does Triton's own load generator see, by protocol and"
    " batch?",
    command=COMMAND,
    needs="scripts/setup test; scripts/perf_analyzer sets itself up on first use; ten minutes",
    raw=("results/run.json", "results/*.csv"),
    page=page,
    headlines=headlines,
    position=6,
)
