# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.gpu.headlines import headlines
from benchmarks.gpu.table import COMMAND, page

BENCHMARK = Benchmark(
    name="gpu",
    question="How near does the tower, served by Triton, come to the tower in a plain loop and to"
    " the machine's limit?",
    command=COMMAND,
    needs="scripts/setup test, or the two environments that benchmarks/gpu/__main__.py"
    " describes, and a C compiler for torch; eight minutes",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=10,
)
