# SPDX-License-Identifier: Apache-2.0
"""Triton model of the benchmark: frames -> embeddings, in torch."""

from pathlib import Path

from benchmarks.gpu.torch_tower import TorchTower
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters


class TritonPythonModel:
    def initialize(self, args):
        self._tower = TorchTower(Path(model_parameters(args["model_config"])["work"]))

    def execute(self, requests):
        return adapter.answer_together(
            requests, lambda request: request.required("FRAMES"), self._run
        )

    def _run(self, parts):
        return ({"EMBEDDINGS": embeddings} for embeddings in self._tower.run_together(parts))
