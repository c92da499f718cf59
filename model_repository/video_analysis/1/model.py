# SPDX-License-Identifier: Apache-2.0
"""Triton model: one whole video, one answer."""

from trireel_backend.findings.finding import ServerModels
from trireel_backend.models.video_analysis import WholeVideo
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop
from trireel_backend.whole_video.counting import WHOLE_VIDEO_FAMILIES
from trireel_backend.whole_video.stages import ModelStages
from trireel_backend.wire.parameters import model_parameters


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, WHOLE_VIDEO_FAMILIES)
        stages = ModelStages(adapter.call_model)
        parameters = model_parameters(args["model_config"])
        models = ServerModels.of_folder(adapter.model_folder(args))
        self._video = WholeVideo.from_parameters(stages, parameters, metrics, models)
        self._loop = AnsweringLoop(self._video.calls_at_once)

    def execute(self, requests):
        if self._video.trace_steps:  # Triton releases a request's trace when this call returns
            traced = [adapter.answer_once(request, self._video.answers) for request in requests]
            return [answer.result() for answer in map(self._loop.begin, traced)]
        for request in requests:
            self._loop.begin(adapter.answer_later(request, self._video.answers))
        return None

    def finalize(self):
        self._loop.close()
