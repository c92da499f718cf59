# SPDX-License-Identifier: Apache-2.0
"""The ways to run the models that read text: configs against each other and the ONNX files."""

import onnx
import pytest
from support.repository import EXPORT, MODELS
from support.text import text_folder

from trireel_backend.launch.repository.assemble import Assembly, assemble, load_config
from trireel_backend.text_models.files import (
    CHARACTERS_FILE,
    LARGE_DETECTOR_FILE,
    RECOGNIZER_FILE,
    SMALL_DETECTOR_FILE,
    TEXT_MODELS,
)

PROFILES = ["container", "cpu", "onnxruntime-tensorrt", "tensorrt", "embedded"]
GPU_PROFILES = ["container", "onnxruntime-tensorrt", "tensorrt"]
GRAPHS = {
    "text_detector": (SMALL_DETECTOR_FILE, LARGE_DETECTOR_FILE),
    "text_recognizer": (RECOGNIZER_FILE,),
}


def config_of(name, profile):
    return load_config(MODELS / name, profile)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", TEXT_MODELS)
def test_the_profiles_serve_the_tensors_of_the_onnx_files(name, profile):
    config, embedded = config_of(name, profile), config_of(name, "embedded")
    assert (config.input, config.output) == (embedded.input, embedded.output)
    assert config.max_batch_size == embedded.max_batch_size
    for file in GRAPHS[name]:
        graph = onnx.load(text_folder() / file).graph
        for ours, theirs in ((config.input, graph.input), (config.output, graph.output)):
            assert [tensor.name for tensor in ours] == [tensor.name for tensor in theirs]
            for tensor, node in zip(ours, theirs, strict=True):
                batch, *sizes = node.type.tensor_type.shape.dim
                assert batch.dim_param == "N"
                assert list(tensor.dims) == [size.dim_value or -1 for size in sizes]


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", TEXT_MODELS)
def test_pictures_of_many_videos_share_a_batch(name, profile):
    config = config_of(name, profile)
    assert config.HasField("dynamic_batching")
    on_cpu = profile not in GPU_PROFILES
    assert config.dynamic_batching.max_queue_delay_microseconds == (0 if on_cpu else 5000)
    (group,) = config.instance_group
    assert group.kind == (group.KIND_CPU if on_cpu else group.KIND_GPU)
    assert group.count == (1 if on_cpu else 2)


@pytest.mark.parametrize("profile", PROFILES[:-1])
@pytest.mark.parametrize("name", TEXT_MODELS)
def test_the_models_are_warmed_with_the_largest_batch_first(name, profile):
    config = config_of(name, profile)
    sizes = [warmup.batch_size for warmup in config.model_warmup]
    assert sizes == ([1] if profile == "cpu" else [config.max_batch_size, 1])
    (tensor,) = config.input
    for warmup in config.model_warmup:
        dims = warmup.inputs[tensor.name].dims
        assert [-1 if free < 0 else size for free, size in zip(tensor.dims, dims, strict=True)] == (
            list(tensor.dims)
        )


@pytest.mark.parametrize("profile", PROFILES)
def test_the_large_detector_is_the_default(tmp_path, profile):
    assemble(Assembly(MODELS, EXPORT, profile, text_models=text_folder()), tmp_path / "r")
    version = tmp_path / "r/text_detector/1"
    for name, file in (("model.onnx", LARGE_DETECTOR_FILE), ("small.onnx", SMALL_DETECTOR_FILE)):
        assert (version / name).resolve() == (text_folder() / file).resolve()
    assert (tmp_path / "r/text_recognizer/1" / CHARACTERS_FILE).is_file()
    assert (tmp_path / "r/temporal_decoder/1" / CHARACTERS_FILE).is_file()
    info = load_config(tmp_path / "r/server_info", profile)
    assert info.parameters["text_models"].string_value == "true"


def test_a_server_without_the_files_has_no_such_models(tmp_path):
    assemble(Assembly(MODELS, EXPORT, "embedded"), tmp_path / "r")
    names = {path.name for path in (tmp_path / "r").iterdir()}
    assert not names & set(TEXT_MODELS)
    info = load_config(tmp_path / "r/server_info", "embedded")
    assert info.parameters["text_models"].string_value == "false"
