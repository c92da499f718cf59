# SPDX-License-Identifier: Apache-2.0
"""Triton model: pictures and a question -> the answer of a vision-language model, as it comes."""

from trireel_backend.models.describe import DESCRIBE_FAMILIES, Describe
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop
from trireel_backend.wire.parameters import model_parameters


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, DESCRIBE_FAMILIES)
        self._describe = Describe(model_parameters(args["model_config"]), metrics)
        self._loop = AnsweringLoop(1)

    def execute(self, requests):
        for request in requests:
            self._loop.begin(adapter.answer_stream(request, self._describe.answers))

    def finalize(self):
        self._loop.begin(self._describe.close()).result(10)
        self._loop.close()
