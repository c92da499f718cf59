# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.precision.headlines import headlines
from benchmarks.precision.table import COMMAND, page

BENCHMARK = Benchmark(
    name="precision",
    question="How much accuracy does reduced precision cost, and which form of attention is fastest"
    " on a CPU?",
    command=COMMAND,
    needs="scripts/setup test, 16 GiB of memory; half an hour",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=9,
)
