# SPDX-License-Identifier: Apache-2.0
"""Triton model: one whole video, one answer."""

from trireel_backend import adapter
from trireel_backend.metrics import WHOLE_VIDEO_FAMILIES
from trireel_backend.settings import model_parameters
from trireel_backend.stages import ModelStages
from trireel_backend.whole_video import WholeVideo


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, WHOLE_VIDEO_FAMILIES)
        stages = ModelStages(adapter.call_model)
        parameters = model_parameters(args["model_config"])
        self._video = WholeVideo.from_parameters(stages, parameters, metrics)

    async def execute(self, requests):
        return [await adapter.answer_once(request, self._video.answers) for request in requests]
