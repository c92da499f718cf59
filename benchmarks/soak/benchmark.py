# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.soak.headlines import headlines
from benchmarks.soak.table import COMMAND, page

BENCHMARK = Benchmark(
    name="soak",
    question="Does a server under full load with faults answer correctly, and keep nothing"
    " afterwards?",
    command=COMMAND.format(minutes=30),
    needs="scripts/setup test and a quiet machine; with `weed` on PATH videos come"
    " from S3 too; as many minutes as --minutes names, and three more",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=8,
)
