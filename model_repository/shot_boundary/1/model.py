# SPDX-License-Identifier: Apache-2.0
"""Triton model, embedded profile: windows of small frames -> probabilities of shot boundaries."""

from trireel_backend.models.shot_boundary import ShotJudge, ShotSettings
from trireel_backend.triton import adapter
from trireel_backend.wire.parameters import model_parameters, read_settings


class TritonPythonModel:
    def initialize(self, args):
        settings = read_settings(ShotSettings, model_parameters(args["model_config"]))
        self._judge = ShotJudge(adapter.model_folder(args), settings)

    def execute(self, requests):
        return adapter.answer_together(
            requests, lambda request: request.required("FRAMES"), self._judge.judge_together
        )
