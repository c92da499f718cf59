# SPDX-License-Identifier: Apache-2.0
"""Triton model: some chunks of a video -> sampled frames."""

from trireel_backend import adapter
from trireel_backend.artifacts import load_metadata
from trireel_backend.chunk_request import extract_chunk
from trireel_backend.extraction.isolation import IsolatedExtractor
from trireel_backend.metrics import EXTRACTOR_FAMILIES, CountedExtractor, refusals_counted
from trireel_backend.settings import (
    ExtractorSettings,
    FolderSettings,
    SamplingSettings,
    model_parameters,
    read_settings,
)
from trireel_schema.files import METADATA_FILE


class TritonPythonModel:
    def initialize(self, args):
        self._metrics = adapter.export_metrics(args, EXTRACTOR_FAMILIES)
        parameters = model_parameters(args["model_config"])
        self._folders = read_settings(FolderSettings, parameters).folders()
        self._sampling = read_settings(SamplingSettings, parameters)
        self._size_px = load_metadata(adapter.model_folder(args) / METADATA_FILE).image_size_px
        options = read_settings(ExtractorSettings, parameters).options()
        most_bytes = self._sampling.max_frames_per_chunk * self._size_px**2 * 3
        self._extractor = CountedExtractor(IsolatedExtractor(options, most_bytes), self._metrics)

    def execute(self, requests):
        return adapter.answer_each(requests, self._answer)

    def _answer(self, request):
        asked = (request, self._folders, self._sampling, self._size_px, self._extractor)
        with refusals_counted(self._metrics):
            return extract_chunk(*asked)

    def finalize(self):
        self._extractor.close()
