# SPDX-License-Identifier: Apache-2.0
"""Triton model: embeddings of a video's next chunk -> tags, caption, scene changes."""

from trireel_backend.models.temporal_decoder import (
    CALLS_AT_ONCE,
    DECODER_FAMILIES,
    SWEEP_SECONDS,
    SequenceDecoder,
)
from trireel_backend.system.periodic import Every
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, DECODER_FAMILIES)
        folder = adapter.model_folder(args)
        self._decoder = SequenceDecoder.of_model(
            folder, args["model_config"], metrics, adapter.call_model
        )
        self._loop = AnsweringLoop(CALLS_AT_ONCE)
        self._sweeps = Every(SWEEP_SECONDS, self._decoder.sweep)

    def execute(self, requests):
        return adapter.answer_each_in_time(requests, self._decoder.answer, self._loop.begin)

    def finalize(self):
        self._loop.close()
        self._sweeps.close()
