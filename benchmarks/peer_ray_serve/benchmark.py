# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.peer_ray_serve.headlines import headlines
from benchmarks.peer_ray_serve.table import SECTIONS, page

BENCHMARK = Benchmark(
    name="peer_ray_serve",
    question="How does Trireel compare with the same pipeline as deployments on Ray Serve?",
    command="python -m benchmarks.peer_ray_serve --output benchmarks/peer_ray_serve/tiny.json",
    needs="scripts/setup test and a quiet machine; the packages of Ray Serve are"
    " installed into an environment in the cache (requirements.txt); --store s3 needs `weed` on"
    " PATH; five minutes for each round",
    raw=tuple(section.file for section in SECTIONS),
    page=page,
    headlines=headlines,
    position=1,
)
