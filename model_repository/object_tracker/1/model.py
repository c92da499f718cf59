# SPDX-License-Identifier: Apache-2.0
"""Triton model: boxes of a video's next frames -> their tracks."""

from trireel_backend.models.object_tracker import SWEEP_SECONDS, TRACKER_FAMILIES, SequenceTracker
from trireel_backend.system.periodic import Every
from trireel_backend.triton import adapter


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, TRACKER_FAMILIES)
        self._tracker = SequenceTracker.of_model(args["model_config"], metrics)
        self._sweeps = Every(SWEEP_SECONDS, self._tracker.sweep)

    def execute(self, requests):
        return adapter.answer_each(requests, self._tracker.answer)

    def finalize(self):
        self._sweeps.close()
