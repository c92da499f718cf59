# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.uploads.headlines import headlines
from benchmarks.uploads.table import COMMAND, page

BENCHMARK = Benchmark(
    name="uploads",
    question="Do uploads survive cuts and kills, and what do they and their listeners cost?",
    command=COMMAND,
    needs="scripts/setup test, 10 GB of disk; ten minutes on two cores",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=13,
)
