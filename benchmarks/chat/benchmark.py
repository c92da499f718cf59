# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.chat.headlines import headlines
from benchmarks.chat.table import COMMAND, page
from benchmarks.common.record import Benchmark

BENCHMARK = Benchmark(
    name="chat",
    question="Do answers cite the moments that answer, and no others, whatever model writes them?",
    command=COMMAND,
    needs="scripts/setup test, benchmarks/chat/requirements.txt; ten minutes on two cores",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=13,
)
