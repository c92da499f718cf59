# SPDX-License-Identifier: Apache-2.0
"""Triton model, embedded profile: frames -> boxes, scores and labels."""

from trireel_backend.models.object_detector import DetectorSettings, ObjectDetector
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(DetectorSettings, model_parameters(args["model_config"]))
        self._detector = ObjectDetector(adapter.model_folder(args), settings)

    def execute(self, requests):
        return adapter.answer_together(
            requests, lambda request: request.required("FRAMES"), self._detector.detect_together
        )
