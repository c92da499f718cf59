# SPDX-License-Identifier: Apache-2.0
"""Triton model: one whole video -> its captions on screen and clips of their region."""

from trireel_backend.captioning.calls import ModelCaptionStages
from trireel_backend.models.caption_extents import CAPTION_FAMILIES, CaptionExtents
from trireel_backend.text_models.files import load_characters
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop
from trireel_backend.wire.parameters import model_parameters


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, CAPTION_FAMILIES)
        characters = load_characters(adapter.model_folder(args))
        stages = ModelCaptionStages(adapter.call_model, characters)
        parameters = model_parameters(args["model_config"])
        self._captions = CaptionExtents(stages, parameters, metrics)
        self._loop = AnsweringLoop(self._captions.calls_at_once)

    def execute(self, requests):
        for request in requests:
            self._loop.begin(adapter.answer_stream(request, self._captions.answers))

    def finalize(self):
        self._loop.close()
