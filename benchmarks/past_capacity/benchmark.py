# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.past_capacity.headlines import headlines
from benchmarks.past_capacity.table import COMMAND, page

BENCHMARK = Benchmark(
    name="past_capacity",
    question="What do accepted requests notice if more clients come than the server accepts?",
    command=COMMAND.format(rounds=3),
    needs="scripts/setup test; a minute and a half for each round",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=7,
)
