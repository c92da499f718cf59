# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.extraction.headlines import headlines
from benchmarks.extraction.table import COMMAND, page

BENCHMARK = Benchmark(
    name="extraction",
    question="How much CPU time does sampling frames take, beside the ffmpeg command and other"
    " libraries?",
    command=COMMAND.format(rounds=5),
    needs="scripts/setup test; decord and torchcodec take part if they are installed"
    " (requirements.txt); an hour",
    raw=("results.json", "threads.json"),
    page=page,
    headlines=headlines,
    position=2,
)
