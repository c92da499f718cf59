# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.long_video.headlines import headlines
from benchmarks.long_video.table import COMMAND, page

BENCHMARK = Benchmark(
    name="long_video",
    question="Do time and memory of an analysis stay flat for each minute of a long video?",
    command=COMMAND,
    needs="scripts/setup test; a quarter of an hour",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=3,
)
