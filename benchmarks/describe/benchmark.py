# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.describe.headlines import headlines
from benchmarks.describe.table import COMMAND, page

BENCHMARK = Benchmark(
    name="describe",
    question="What do descriptions through `describe` cost beside transformers alone?",
    command=COMMAND,
    needs="scripts/setup test; a few minutes",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=7,
)
