# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.objects.headlines import headlines
from benchmarks.objects.table import SECTIONS, page

BENCHMARK = Benchmark(
    name="objects",
    question="How do Trireel's objects compare with a detection pipeline on Ray Serve?",
    command="python -m benchmarks.objects --output benchmarks/objects/results.json",
    needs="scripts/setup test and a quiet machine; the packages of Ray Serve are installed into an"
    " environment in the cache (peer_ray_serve/requirements.txt); three minutes for each round",
    raw=tuple(section.file for section in SECTIONS),
    page=page,
    headlines=headlines,
    position=2,
)
