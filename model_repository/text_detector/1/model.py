# SPDX-License-Identifier: Apache-2.0
"""Triton model, embedded profile: frames -> maps of the probability of text."""

from trireel_backend.models.text_detector import DetectorSettings, TextDetector, checked_frames
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(DetectorSettings, model_parameters(args["model_config"]))
        self._model = TextDetector(adapter.model_folder(args), settings)

    def execute(self, requests):
        return adapter.answer_together(
            requests,
            lambda request: checked_frames(request.required("FRAMES")),
            self._model.detect_together,
        )
