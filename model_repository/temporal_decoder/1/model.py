# SPDX-License-Identifier: Apache-2.0
"""Triton model: embeddings of a video's next chunk -> tags, caption, scene changes."""

from trireel_backend import adapter
from trireel_backend.decoder_request import SequenceDecoder
from trireel_backend.settings import sequence_idle_seconds


class TritonPythonModel:
    def initialize(self, args):
        idle_seconds = sequence_idle_seconds(args["model_config"])
        self._decoder = SequenceDecoder.load(adapter.model_folder(args), idle_seconds)

    def execute(self, requests):
        return adapter.answer_each(requests, self._decoder.answer)
