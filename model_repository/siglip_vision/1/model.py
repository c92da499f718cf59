# SPDX-License-Identifier: Apache-2.0
"""Triton model, embedded profile: frames -> embeddings, in onnxruntime or OpenVINO."""

from trireel_backend.models.siglip_vision import load_vision_tower
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(TowerSettings, model_parameters(args["model_config"]))
        self._tower = load_vision_tower(adapter.model_folder(args), settings)

    def execute(self, requests):
        return adapter.answer_together(
            requests, lambda request: request.required("FRAMES"), self._run
        )

    def _run(self, parts):
        return ({"EMBEDDINGS": embeddings} for embeddings in self._tower.run_together(parts))
