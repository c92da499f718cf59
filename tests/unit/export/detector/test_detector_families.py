# SPDX-License-Identifier: Apache-2.0
"""Every family of detectors is exported, and follows its checkpoint in any batch."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from support.detectors import FAMILIES, NORMALISES, QUERIES, save_tiny
from transformers.models.rt_detr.image_processing_pil_rt_detr import RTDetrImageProcessorPil

from trireel_export.detector.checkpoint import load_detector
from trireel_export.detector.export import DetectorReport, export_detector
from trireel_export.detector.graph import DetectorSession
from trireel_schema.detections import read_known_detections
from trireel_schema.detector import (
    DETECTOR_FILE,
    DETECTOR_FILES,
    DETECTOR_GRAPH_FILE,
    KNOWN_DETECTIONS_FILE,
    read_detector,
)

ARCHITECTURES = {
    "rf_detr": "RfDetrForObjectDetection",
    "d_fine": "DFineForObjectDetection",
    "rt_detr_v2": "RTDetrV2ForObjectDetection",
}


@pytest.fixture(scope="module", params=sorted(FAMILIES))
def exported(request, tmp_path_factory) -> tuple[str, Path, DetectorReport]:
    """The family, its checkpoint's folder and the export."""
    folder = tmp_path_factory.mktemp(request.param)
    checkpoint = save_tiny(request.param, folder / "checkpoint")
    return request.param, checkpoint, export_detector(str(checkpoint), folder / "export", note="hm")


def test_the_graph_follows_the_checkpoint(exported) -> None:
    _, _, report = exported
    assert [check.batch_size for check in report.checks] == [1, 5]
    for check in report.checks:
        assert check.compared >= 3 * 42  # of every picture at least three
        assert check.overlap > 0.9999
        assert check.score < 1e-5


def test_the_files_say_what_a_server_needs(exported) -> None:
    family, _, report = exported
    metadata = read_detector(report.output / DETECTOR_FILE)
    assert set(report.file_bytes) == set(DETECTOR_FILES)
    assert metadata == report.metadata
    assert metadata.architecture == ARCHITECTURES[family]
    assert metadata.labels == ("person", "bicycle", "N/A (2)", "car", "N/A (4)")
    assert (metadata.num_boxes, metadata.note, metadata.checkpoint) == (QUERIES, "hm", "checkpoint")
    known = read_known_detections(report.output / KNOWN_DETECTIONS_FILE, metadata)
    assert len(known.names) == 12


def test_it_detects_as_transformers_own_processor_says(exported) -> None:
    """The reference is written by others: pixels and boxes by the processor's own code."""
    family, folder, report = exported
    checkpoint, metadata = load_detector(str(folder)), report.metadata
    rng = np.random.default_rng(5)
    coarse = rng.integers(0, 256, (3, 4, 6, 3), np.uint8)
    frames = coarse.repeat(metadata.height_px // 4, 1).repeat(metadata.width_px // 6, 2)
    processor = RTDetrImageProcessorPil(
        size={"height": metadata.height_px, "width": metadata.width_px},
        do_normalize=NORMALISES[family],
    )
    with torch.no_grad():
        found = checkpoint.model(**processor(list(frames), return_tensors="pt"))
    expected = processor.post_process_object_detection(found, threshold=0.0)
    got = DetectorSession(report.output / DETECTOR_GRAPH_FILE).detect(frames)
    assert np.abs(got.scores[0] - got.scores[1]).max() > 1e-3  # the pictures matter
    for index, own in enumerate(expected):
        np.testing.assert_allclose(got.scores[index], own["scores"].numpy(), atol=1e-5)
        np.testing.assert_array_equal(got.labels[index], own["labels"].numpy())
        np.testing.assert_allclose(
            got.boxes[index], own["boxes"].numpy().clip(0, 1), atol=1e-5, rtol=0
        )


def test_the_export_does_not_name_this_machine(exported) -> None:
    _, folder, report = exported
    content = (report.output / DETECTOR_GRAPH_FILE).read_bytes()
    assert str(folder.parent).encode() not in content
    assert b"site-packages" not in content
    assert str(folder.parent) not in json.dumps(read_detector(report.output / DETECTOR_FILE).labels)
