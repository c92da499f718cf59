# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.gateway.table import COMMAND, headlines, page

BENCHMARK = Benchmark(
    name="gateway",
    question="How many milliseconds does the gateway add to a request for a stored result?",
    command=COMMAND,
    needs="scripts/setup test; a minute on two cores",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=13,
)
