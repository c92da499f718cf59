# SPDX-License-Identifier: Apache-2.0
"""Metrics of an extractor."""

from collections.abc import Callable

from trireel_backend.errors import DecoderCrashed, Unavailable
from trireel_backend.extraction.task import Extracted, ExtractionTask, RunsTasks
from trireel_backend.metrics.family import Family, Metrics
from trireel_backend.metrics.refusals import REFUSALS

FRAMES = Family("trireel_frames_extracted_total", "Frames sampled from videos.")
DAMAGED_PACKETS = Family(
    "trireel_damaged_packets_total", "Packets that decoders could make nothing of, passed over."
)
WORKERS_LOST = Family(
    "trireel_extractor_workers_lost_total",
    "Decoding processes that died at work and were replaced: crashed by a file, or killed.",
    label="cause",
    values=("crashed", "killed"),
)
EXTRACTOR_FAMILIES = (REFUSALS, FRAMES, DAMAGED_PACKETS, WORKERS_LOST)


class CountedExtractor:
    """An extractor whose frames and lost workers are counted."""

    def __init__(self, extractor: RunsTasks, metrics: Metrics) -> None:
        self._extractor = extractor
        self._metrics = metrics

    def run(self, task: ExtractionTask, is_cancelled: Callable[[], bool]) -> Extracted:
        """Run a task; raises RequestError."""
        try:
            extracted = self._extractor.run(task, is_cancelled)
        except DecoderCrashed:
            self._metrics.add(WORKERS_LOST, value="crashed")
            raise
        except Unavailable:
            self._metrics.add(WORKERS_LOST, value="killed")
            raise
        if len(extracted.pixels):
            self._metrics.add(FRAMES, len(extracted.pixels))
        if damaged := sum(part.damaged_packets for part in extracted.frames):
            self._metrics.add(DAMAGED_PACKETS, damaged)
        return extracted

    def close(self) -> None:
        """End the extractor."""
        self._extractor.close()
