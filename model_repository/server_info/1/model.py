# SPDX-License-Identifier: Apache-2.0
"""Triton model: what this server is."""

from trireel_backend.models.server_info import ServerFacts
from trireel_backend.triton import adapter


class TritonPythonModel:
    def initialize(self, args):
        self._facts = ServerFacts.of_model(adapter.model_folder(args), args["model_config"])

    def execute(self, requests):
        return adapter.answer_each(requests, self._facts.answer)
