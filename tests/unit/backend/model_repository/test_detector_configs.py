# SPDX-License-Identifier: Apache-2.0
"""The ways to run object_detector: configs against each other, the ONNX file and the engines."""

import numpy as np
import pytest
from support.blob_detector import write_blob_detector
from support.repository import EXPORT, MODELS

from trireel_backend.errors import MissingPart
from trireel_backend.launch.engines.build import OPTIMIZATION_LEVEL, WORKSPACE_MIB
from trireel_backend.launch.engines.detector import DETECTOR_BATCH_SIZES
from trireel_backend.launch.engines.subjects import object_detector
from trireel_backend.launch.repository.assemble import Assembly, assemble, load_config
from trireel_backend.launch.repository.detector import find_detector
from trireel_schema.detector import DETECTOR_FILE, DETECTOR_GRAPH_FILE, DETECTOR_MODEL

PROFILES = ["container", "cpu", "onnxruntime-tensorrt", "tensorrt", "embedded"]
GPU_PROFILES = ["container", "onnxruntime-tensorrt", "tensorrt"]
FRAME = [96, 128, 3]
BOXES = 3


@pytest.fixture(scope="module")
def detector(tmp_path_factory):
    folder = tmp_path_factory.mktemp("blobs")
    write_blob_detector(folder)
    return folder


def config_of(profile):
    return load_config(MODELS / DETECTOR_MODEL, profile)


def assembled(detector, profile, target, **parts):
    assemble(Assembly(MODELS, EXPORT, profile, detector=detector, **parts), target)
    return target / DETECTOR_MODEL


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_serve_the_same_tensors(profile):
    config, embedded = config_of(profile), config_of("embedded")
    assert (config.input, config.output) == (embedded.input, embedded.output)
    assert config.max_batch_size == embedded.max_batch_size == DETECTOR_BATCH_SIZES.most


@pytest.mark.parametrize("profile", PROFILES)
def test_frames_of_many_videos_share_a_batch(profile):
    config = config_of(profile)
    assert config.HasField("dynamic_batching")
    on_cpu = profile not in GPU_PROFILES
    assert config.dynamic_batching.max_queue_delay_microseconds == (0 if on_cpu else 5000)
    (group,) = config.instance_group
    assert group.kind == (group.KIND_CPU if on_cpu else group.KIND_GPU)


@pytest.mark.parametrize("profile", GPU_PROFILES)
def test_an_assembled_config_has_the_detectors_sizes(profile, detector, tmp_path):
    config = load_config(assembled(detector, profile, tmp_path / "r"), "none")
    assert [list(tensor.dims) for tensor in config.input] == [FRAME]
    assert [list(tensor.dims) for tensor in config.output] == [[BOXES, 4], [BOXES], [BOXES]]
    assert [warmup.batch_size for warmup in config.model_warmup] == [64, 8, 1]
    for warmup in config.model_warmup:
        assert list(warmup.inputs["FRAMES"].dims) == FRAME


def test_shapes_and_cache_are_those_of_the_detector(detector, tmp_path):
    config = load_config(assembled(detector, "onnxruntime-tensorrt", tmp_path / "r"), "none")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    sizes = DETECTOR_BATCH_SIZES
    for bound, batch in {"min": sizes.least, "opt": sizes.best, "max": sizes.most}.items():
        assert accelerator.parameters[f"trt_profile_{bound}_shapes"] == f"FRAMES:{batch}x96x128x3"
    assert int(accelerator.parameters["max_workspace_size_bytes"]) == WORKSPACE_MIB * 2**20
    level = accelerator.parameters["trt_builder_optimization_level"]
    assert int(level) == OPTIMIZATION_LEVEL
    assert accelerator.parameters["trt_engine_cache_prefix"] == "detector-128x96 squas-fp32"
    graphs = [spec.batch_size for spec in config_of("tensorrt").optimization.cuda.graph_spec]
    assert (graphs[0], graphs[-1]) == (sizes.least, sizes.most)


def test_an_engine_takes_the_place_of_the_onnx_file(detector, tmp_path):
    plan = tmp_path / "detector.plan"
    with pytest.raises(MissingPart, match=r"detector\.plan is not there"):
        assembled(detector, "tensorrt", tmp_path / "r", detector_engine=plan)
    plan.write_bytes(b"an engine")
    folder = assembled(detector, "tensorrt", tmp_path / "other", detector_engine=plan) / "1"
    assert (folder / "model.plan").resolve() == plan
    assert not (folder / DETECTOR_GRAPH_FILE).exists()
    assert (folder / DETECTOR_FILE).is_file()


def test_an_engine_is_built_of_the_graph_in_the_folder(detector):
    subject = object_detector(detector, EXPORT)
    assert (subject.model, subject.onnx) == (DETECTOR_MODEL, detector / DETECTOR_GRAPH_FILE)
    assert np.array_equal(subject.row, FRAME)
    assert subject.batch_sizes == DETECTOR_BATCH_SIZES
    assert subject.onnx_bytes > 0


def test_the_bundled_detector_is_found_if_none_is_named(detector, tmp_path):
    assert find_detector(None, detector) == detector
    assert find_detector(tmp_path, detector) == tmp_path
    assert find_detector(None, tmp_path) is None
