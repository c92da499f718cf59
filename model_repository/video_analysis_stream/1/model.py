# SPDX-License-Identifier: Apache-2.0
"""Triton model: one whole video, a response per chunk, then one for the whole video."""

from trireel_backend.findings.finding import ServerModels
from trireel_backend.models.video_analysis import STREAM_FAMILIES, WholeVideo
from trireel_backend.sources.spool_metrics import SPOOL_SECONDS
from trireel_backend.system.periodic import Every
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop
from trireel_backend.whole_video.stages import ModelStages
from trireel_backend.wire.parameters import model_parameters


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, STREAM_FAMILIES)
        stages = ModelStages(adapter.call_model)
        parameters = model_parameters(args["model_config"])
        models = ServerModels.of_folder(adapter.model_folder(args))
        self._video = WholeVideo.from_parameters(stages, parameters, metrics, models)
        self._loop = AnsweringLoop(self._video.calls_at_once)
        self._video.measure_spool()
        self._measures = Every(SPOOL_SECONDS, self._video.measure_spool)

    def execute(self, requests):
        for request in requests:
            self._loop.begin(adapter.answer_stream(request, self._video.answers))

    def finalize(self):
        self._measures.close()
        self._loop.close()
