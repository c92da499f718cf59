# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.object_tracks.headlines import headlines
from benchmarks.object_tracks.table import COMMAND, page

BENCHMARK = Benchmark(
    name="object_tracks",
    question="How well do the tracks of `objects` agree with the truth on videos that cross the"
    " borders of chunks?",
    command=COMMAND,
    needs="scripts/setup test; two minutes",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=6,
)
