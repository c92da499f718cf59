# SPDX-License-Identifier: Apache-2.0
"""Triton model: free texts -> embeddings."""

from trireel_backend import adapter
from trireel_backend.encoding import TextEncoder, Tower
from trireel_backend.settings import TowerSettings, model_parameters, read_settings
from trireel_schema.files import TOKENIZER_FILE


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(TowerSettings, model_parameters(args["model_config"]))
        folder = adapter.model_folder(args)
        tower = Tower(folder / "model.onnx", settings)
        self._encoder = TextEncoder(tower, folder / TOKENIZER_FILE)

    def execute(self, requests):
        return adapter.answer_together(requests, lambda request: request.texts("TEXTS"), self._run)

    def _run(self, parts):
        return ({"EMBEDDINGS": embeddings} for embeddings in self._encoder.encode_together(parts))
