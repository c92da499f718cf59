# SPDX-License-Identifier: Apache-2.0
"""What cannot be exported as a detector is rejected with one sentence."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from support.detectors import LABELS, QUERIES, save_tiny

from trireel_export.detector import export as detector_export
from trireel_export.detector.export import export_detector
from trireel_export.errors import (
    BadSetting,
    CheckpointNotLoaded,
    DetectionsDiffer,
    UnsupportedCheckpoint,
)
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, read_detector
from trireel_schema.precision import Precision

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return save_tiny("d_fine", tmp_path_factory.mktemp("d_fine"))


def _rejected(source: Path, tmp_path: Path, kind: type[Exception], match: str, **options) -> None:
    output = tmp_path / "export"
    with pytest.raises(kind, match=match) as raised:
        export_detector(str(source), output, **options)
    assert "\n" not in str(raised.value)
    assert not output.exists()


def test_a_checkpoint_that_is_no_detector_is_rejected(tmp_path) -> None:
    siglip = ROOT / "export/tiny/checkpoint"
    expected = r"of type 'siglip', which is no detector .* give .* rf_detr, d_fine, rt_detr_v2"
    _rejected(siglip, tmp_path, UnsupportedCheckpoint, expected)


def test_a_backbone_of_a_detector_is_rejected(checkpoint, tmp_path) -> None:
    folder = _copy(checkpoint, tmp_path)
    _change(folder / "config.json", architectures=["DFineModel"])
    expected = "holds a DFineModel, which has no boxes: give the checkpoint of a DFineForObject"
    _rejected(folder, tmp_path, UnsupportedCheckpoint, expected)


def test_a_folder_that_is_not_there_is_rejected(tmp_path) -> None:
    with pytest.raises(CheckpointNotLoaded, match="does not load"):
        export_detector(str(tmp_path / "nothing"), tmp_path / "export")


def test_a_checkpoint_without_its_processor_is_rejected(checkpoint, tmp_path) -> None:
    folder = _copy(checkpoint, tmp_path)
    (folder / "preprocessor_config.json").unlink()
    _rejected(folder, tmp_path, CheckpointNotLoaded, "image processor's settings do not load")


def test_a_processor_that_keeps_the_shape_is_rejected(checkpoint, tmp_path) -> None:
    folder = _copy(checkpoint, tmp_path)
    _change(folder / "preprocessor_config.json", size={"shortest_edge": 64})
    _rejected(folder, tmp_path, UnsupportedCheckpoint, "must squash pictures to one height and")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"num_boxes": 1000}, rf"1000 boxes .* has {QUERIES} boxes with 5 classes, give 1 to 60"),
        ({"num_boxes": 0}, "0 boxes for each frame"),
        ({"threshold": 2.0}, r"threshold is 2\.0: give a score, 0 to 1"),
        ({"precision": Precision.BF16}, "precision is bf16: give fp32 or fp16"),
    ],
)
def test_a_setting_out_of_range_is_rejected(checkpoint, tmp_path, options, match) -> None:
    _rejected(checkpoint, tmp_path, BadSetting, match, **options)


def test_more_boxes_than_queries_are_exported(checkpoint, tmp_path) -> None:
    count = QUERIES * len(LABELS)
    export_detector(str(checkpoint), tmp_path / "export", num_boxes=count)
    assert read_detector(tmp_path / "export" / DETECTOR_FILE).num_boxes == count


def test_a_trained_detector_is_exported_in_fp16(tmp_path) -> None:
    """Random weights have no clear detections, which fp16 would leave in their order."""
    report = export_detector(
        str(ROOT / "export/detector/checkpoint"), tmp_path / "export", precision=Precision.FP16
    )
    assert read_detector(tmp_path / "export" / DETECTOR_FILE).precision is Precision.FP16
    graph = onnx.load(tmp_path / "export" / DETECTOR_GRAPH_FILE).graph
    halves = sum(w.data_type == onnx.TensorProto.FLOAT16 for w in graph.initializer)
    assert 10 < halves < len(graph.initializer)
    assert 0 < report.checks[0].score < 0.05


def test_a_graph_that_lost_accuracy_is_not_written(checkpoint, tmp_path, monkeypatch) -> None:
    written = detector_export.write_detector_graph

    def write_damaged(loaded, path, num_boxes, precision):
        opset = written(loaded, path, num_boxes, precision)
        model = onnx.load(path)
        for weight in model.graph.initializer:
            values = onnx.numpy_helper.to_array(weight)
            if values.dtype == np.float32 and values.ndim == 4:
                weight.CopyFrom(onnx.numpy_helper.from_array(values * 0.7, weight.name))
        onnx.save(model, path)
        return opset

    monkeypatch.setattr(detector_export, "write_detector_graph", write_damaged)
    _rejected(checkpoint, tmp_path, DetectionsDiffer, "in batches of 1: in 'gradient, wide' the")


def _copy(checkpoint: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for file in checkpoint.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
