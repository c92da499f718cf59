# SPDX-License-Identifier: Apache-2.0
"""Triton model: free texts -> embeddings."""

from trireel_backend.artifacts import load_metadata
from trireel_backend.models.siglip_text import TextEncoder
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.tower import Tower
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings
from trireel_schema.files import METADATA_FILE, TOKENIZER_FILE


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(TowerSettings, model_parameters(args["model_config"]))
        folder = adapter.model_folder(args)
        tower = Tower(folder / "model.onnx", settings)
        prompt = load_metadata(folder / METADATA_FILE).tag_prompt
        self._encoder = TextEncoder(tower, folder / TOKENIZER_FILE, prompt)

    def execute(self, requests):
        return adapter.answer_together(requests, self._encoder.texts, self._run)

    def _run(self, parts):
        return ({"EMBEDDINGS": embeddings} for embeddings in self._encoder.encode_together(parts))
