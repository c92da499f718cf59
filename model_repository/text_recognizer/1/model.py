# SPDX-License-Identifier: Apache-2.0
"""Triton model, embedded profile: pictures of lines -> codes of characters."""

from trireel_backend.models.text_detector import ReaderSettings
from trireel_backend.models.text_recognizer import TextRecognizer, checked_lines
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(ReaderSettings, model_parameters(args["model_config"]))
        self._model = TextRecognizer(adapter.model_folder(args), settings)

    def execute(self, requests):
        return adapter.answer_together(
            requests,
            lambda request: checked_lines(request.required("LINES")),
            self._model.recognize_together,
        )
