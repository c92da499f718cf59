# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.cpu_engines.headlines import headlines
from benchmarks.cpu_engines.table import FILES, command, page

BENCHMARK = Benchmark(
    name="cpu_engines",
    question="Which runtime computes the vision tower fastest on a CPU, and how exactly?",
    command=command(FILES[0]),
    needs="scripts/setup test; base.json needs an export of a larger checkpoint by"
    " trireel-export; minutes for the tiny tower, an hour for a large one",
    raw=FILES,
    page=page,
    headlines=headlines,
    position=5,
)
