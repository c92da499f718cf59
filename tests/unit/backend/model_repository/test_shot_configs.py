# SPDX-License-Identifier: Apache-2.0
"""The ways to run shot_boundary: configs against each other, the ONNX file and the engines."""

import onnx
import pytest
from support.repository import EXPORT, MODELS
from support.shots import shots_folder

from trireel_backend.errors import MissingPart
from trireel_backend.launch.engines.build import OPTIMIZATION_LEVEL, WORKSPACE_MIB
from trireel_backend.launch.engines.shots import SHOT_BATCH_SIZES, shot_weights
from trireel_backend.launch.repository.assemble import Assembly, assemble, load_config
from trireel_schema.shots import FRAMES_SHAPE, GRAPH_FILE, SHOT_MODEL, WINDOW_FRAMES

PROFILES = ["container", "cpu", "onnxruntime-tensorrt", "tensorrt", "embedded"]
GPU_PROFILES = ["container", "onnxruntime-tensorrt", "tensorrt"]
CONTAINER_PROFILES = [*GPU_PROFILES, "cpu"]


def config_of(profile):
    return load_config(MODELS / SHOT_MODEL, profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_serve_the_tensors_of_the_onnx_file(profile):
    config, embedded = config_of(profile), config_of("embedded")
    assert (config.input, config.output) == (embedded.input, embedded.output)
    assert config.max_batch_size == embedded.max_batch_size == SHOT_BATCH_SIZES.most
    graph = onnx.load(shots_folder() / GRAPH_FILE, load_external_data=False).graph
    for ours, theirs in ((config.input, graph.input), (config.output, graph.output)):
        assert [tensor.name for tensor in ours] == [tensor.name for tensor in theirs]
        for tensor, node in zip(ours, theirs, strict=True):
            batch, *sizes = node.type.tensor_type.shape.dim
            assert batch.dim_param == "N"
            assert list(tensor.dims) == [size.dim_value for size in sizes]
    assert list(config.input[0].dims) == list(FRAMES_SHAPE)
    assert list(config.output[0].dims) == [WINDOW_FRAMES]


@pytest.mark.parametrize("profile", PROFILES)
def test_windows_of_many_videos_share_a_batch(profile):
    config = config_of(profile)
    assert config.HasField("dynamic_batching")
    on_cpu = profile not in GPU_PROFILES
    assert config.dynamic_batching.max_queue_delay_microseconds == (0 if on_cpu else 5000)
    (group,) = config.instance_group
    assert group.kind == (group.KIND_CPU if on_cpu else group.KIND_GPU)
    assert group.count == (2 if profile == "container" else 1)


@pytest.mark.parametrize("profile", CONTAINER_PROFILES)
def test_the_model_is_warmed_with_the_largest_batch_first(profile):
    warmups = config_of(profile).model_warmup
    sizes = [warmup.batch_size for warmup in warmups]
    assert sizes == ([1] if profile == "cpu" else [32, 8, 1])
    for warmup in warmups:
        assert list(warmup.inputs["FRAMES"].dims) == list(FRAMES_SHAPE)


def test_every_profile_of_shapes_is_that_of_the_engines():
    config = config_of("onnxruntime-tensorrt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    sizes = SHOT_BATCH_SIZES
    for bound, batch in {"min": sizes.least, "opt": sizes.best, "max": sizes.most}.items():
        shape = f"FRAMES:{batch}x{'x'.join(map(str, FRAMES_SHAPE))}"
        assert accelerator.parameters[f"trt_profile_{bound}_shapes"] == shape
    assert int(accelerator.parameters["max_workspace_size_bytes"]) == WORKSPACE_MIB * 2**20
    level = accelerator.parameters["trt_builder_optimization_level"]
    assert int(level) == OPTIMIZATION_LEVEL
    graphs = [spec.batch_size for spec in config_of("tensorrt").optimization.cuda.graph_spec]
    assert (graphs[0], graphs[-1]) == (sizes.least, sizes.most)


def test_an_assembled_engine_cache_is_named_after_the_weights(tmp_path):
    assembly = Assembly(MODELS, EXPORT, "onnxruntime-tensorrt", shots=shots_folder())
    assemble(assembly, tmp_path / "r")
    folder = tmp_path / "r" / SHOT_MODEL
    (accelerator,) = load_config(
        folder, "embedded"
    ).optimization.execution_accelerators.gpu_execution_accelerator
    weights = shot_weights().weights_sha256[:12]
    assert accelerator.parameters["trt_engine_cache_prefix"] == f"TransNetV2-{weights}-fp32"
    names = {path.name for path in (folder / "1").iterdir()}
    assert names >= {"model.onnx", "weights.bin", "known_windows.npz"}


def test_an_engine_takes_the_place_of_the_onnx_file(tmp_path):
    plan = tmp_path / "transnet.plan"
    assembly = Assembly(MODELS, EXPORT, "container", shots=shots_folder(), shot_engine=plan)
    with pytest.raises(MissingPart, match=r"transnet\.plan is not there"):
        assemble(assembly, tmp_path / "r")
    plan.write_bytes(b"an engine")
    assemble(assembly, tmp_path / "other")
    folder = tmp_path / "other" / SHOT_MODEL / "1"
    assert (folder / "model.plan").resolve() == plan
    assert not (folder / "model.onnx").exists()
