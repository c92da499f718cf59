# SPDX-License-Identifier: Apache-2.0
"""Triton model: some chunks of a video -> sampled frames."""

from trireel_backend.artifacts import load_metadata
from trireel_backend.extraction.counting import EXTRACTOR_FAMILIES, CountedExtractor
from trireel_backend.extraction.limits import SECOND_VIEWS_BYTES
from trireel_backend.extraction.process.isolation import IsolatedExtractor
from trireel_backend.extraction.settings import ExtractorSettings, SamplingSettings
from trireel_backend.findings.finding import ServerModels
from trireel_backend.models.late_chunks import CALLS_AT_ONCE, ChunkAnswers
from trireel_backend.triton import adapter
from trireel_backend.triton.answering_loop import AnsweringLoop
from trireel_backend.wire.parameters import model_parameters, read_settings
from trireel_schema.files import METADATA_FILE


class TritonPythonModel:
    def initialize(self, args):
        metrics = adapter.export_metrics(args, EXTRACTOR_FAMILIES)
        parameters = model_parameters(args["model_config"])
        folder = adapter.model_folder(args)
        size_px = load_metadata(folder / METADATA_FILE).image_size_px
        models = ServerModels.of_folder(folder)
        options = read_settings(ExtractorSettings, parameters).options()
        frames = read_settings(SamplingSettings, parameters).max_frames_per_chunk
        self._extractor = CountedExtractor(
            IsolatedExtractor(options, frames * size_px**2 * 3, SECOND_VIEWS_BYTES), metrics
        )
        self._chunks = ChunkAnswers(
            parameters, size_px, self._extractor, adapter.call_model, metrics, models
        )
        self._loop = AnsweringLoop(CALLS_AT_ONCE)

    def execute(self, requests):
        return adapter.answer_each_in_time(requests, self._chunks.answer, self._loop.begin)

    def finalize(self):
        self._loop.close()
        self._extractor.close()
