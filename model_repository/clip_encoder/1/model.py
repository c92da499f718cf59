# SPDX-License-Identifier: Apache-2.0
"""Triton model: some frames -> a WebM clip."""

from trireel_backend.clips.isolation import EncoderSettings, IsolatedEncoder
from trireel_backend.models.clip_encoder import encode_request
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        parameters = model_parameters(args["model_config"])
        self._settings = read_settings(EncoderSettings, parameters)
        self._encoder = IsolatedEncoder(self._settings)

    def execute(self, requests):
        return adapter.answer_each(
            requests, lambda request: encode_request(request, self._settings, self._encoder)
        )

    def finalize(self):
        self._encoder.close()
