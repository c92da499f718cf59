# SPDX-License-Identifier: Apache-2.0
"""The ways to run the vision tower: configs against each other, the engines and the backends."""

import pytest
from support.repository import EXPORT, MODELS

from trireel_backend.launch.engines.build import OPTIMIZATION_LEVEL, WORKSPACE_MIB
from trireel_backend.launch.engines.names import BatchSizes
from trireel_backend.launch.repository.assemble import Assembly, assemble, load_config
from trireel_backend.whole_video.lookahead import SPAN_CHUNKS

NAMES = sorted(path.parent.name for path in MODELS.glob("*/config.pbtxt"))
PROFILES = ["container", "cpu", "onnxruntime-tensorrt", "tensorrt", "embedded"]
GPU_PROFILES = ["container", "onnxruntime-tensorrt", "tensorrt"]
CONTAINER_PROFILES = [*GPU_PROFILES, "cpu"]
CHUNK_FRAMES = 16
# What the backend passes on of a "tensorrt" accelerator; it refuses any other: src/onnxruntime.cc
# of github.com/triton-inference-server/onnxruntime_backend, commit 02ffb9ed.
TENSORRT_PARAMETERS = {
    *("precision_mode", "max_workspace_size_bytes", "trt_max_partition_iterations"),
    *("trt_min_subgraph_size", "int8_calibration_table_name", "int8_use_native_calibration_table"),
    *("trt_dla_enable", "trt_dla_core", "trt_engine_cache_enable", "trt_engine_cache_path"),
    *("trt_engine_cache_prefix", "trt_dump_subgraphs", "trt_force_sequential_engine_build"),
    *("trt_context_memory_sharing_enable", "trt_layer_norm_fp32_fallback"),
    *("trt_timing_cache_enable", "trt_timing_cache_path", "trt_force_timing_cache"),
    *("trt_detailed_build_log", "trt_build_heuristics_enable", "trt_sparsity_enable"),
    *("trt_builder_optimization_level", "trt_auxiliary_streams", "trt_tactic_sources"),
    *("trt_extra_plugin_lib_paths", "trt_profile_min_shapes", "trt_profile_max_shapes"),
    *("trt_profile_opt_shapes", "trt_cuda_graph_enable", "trt_dump_ep_context_model"),
    *("trt_ep_context_file_path", "trt_ep_context_embed_mode"),
}


def config_of(name, profile="embedded"):
    return load_config(MODELS / name, profile)


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profiles_serve_the_same_tensors(profile):
    embedded, config = config_of("siglip_vision"), config_of("siglip_vision", profile)
    assert (config.input, config.output) == (embedded.input, embedded.output)
    assert config.max_batch_size == embedded.max_batch_size


@pytest.mark.parametrize("profile", PROFILES)
def test_only_a_gpu_waits_for_a_fuller_batch(profile):
    config = config_of("siglip_vision", profile)
    assert config.HasField("dynamic_batching")
    on_cpu = profile in ("cpu", "embedded")
    assert config.dynamic_batching.max_queue_delay_microseconds == (0 if on_cpu else 2000)


def test_a_profile_is_another_way_to_run_the_same_tower():
    backends = {profile: config_of("siglip_vision", profile).backend for profile in PROFILES}
    assert backends == {
        "container": "onnxruntime",
        "cpu": "onnxruntime",
        "onnxruntime-tensorrt": "onnxruntime",
        "tensorrt": "tensorrt",
        "embedded": "python",
    }
    files = {path.stem for path in (MODELS / "siglip_vision/configs").glob("*.pbtxt")}
    assert files | {"container"} == set(PROFILES)


ONNX_MODELS = {
    *("siglip_vision", "shot_boundary", "object_detector"),
    *("text_detector", "text_recognizer"),
}
"""Models that a profile may run in another way."""


@pytest.mark.parametrize("profile", PROFILES)
def test_only_towers_are_others_in_a_profile(profile):
    for name in NAMES:
        if name not in ONNX_MODELS:
            assert config_of(name, profile) == config_of(name)


@pytest.mark.parametrize("profile", PROFILES)
def test_a_tower_runs_where_its_profile_says(profile):
    (group,) = config_of("siglip_vision", profile).instance_group
    kind = group.KIND_GPU if profile in GPU_PROFILES else group.KIND_CPU
    assert group.kind == kind
    # Each backend has its reason; the configs say which.
    assert group.count == (2 if profile == "container" else 1)


def test_the_cuda_provider_gets_its_options_in_both_ways():
    """Backends up to 26.09 overwrite an accelerator's options with those of `parameters`."""
    config = config_of("siglip_vision", "container")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "cuda"
    numbers = {"HEURISTIC": "1", "kSameAsRequested": "1"}
    parameters = {name: value.string_value for name, value in config.parameters.items()}
    assert parameters == {name: numbers[word] for name, word in accelerator.parameters.items()}


def test_the_tensorrt_provider_knows_its_parameters():
    config = config_of("siglip_vision", "onnxruntime-tensorrt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.name == "tensorrt"
    assert accelerator.parameters.keys() <= TENSORRT_PARAMETERS
    assert "precision_mode" not in accelerator.parameters  # it is in the graph


def test_every_profile_of_shapes_is_that_of_the_engines():
    config = config_of("siglip_vision", "onnxruntime-tensorrt")
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    sizes = BatchSizes()
    expected = {"min": sizes.least, "opt": sizes.best, "max": sizes.most}
    for bound, batch in expected.items():
        shape = f"FRAMES:{batch}x{{image_size_px}}x{{image_size_px}}x3"
        assert accelerator.parameters[f"trt_profile_{bound}_shapes"] == shape
    assert int(accelerator.parameters["max_workspace_size_bytes"]) == WORKSPACE_MIB * 2**20
    level = accelerator.parameters["trt_builder_optimization_level"]
    assert int(level) == OPTIMIZATION_LEVEL


@pytest.mark.parametrize("profile", CONTAINER_PROFILES)
def test_an_engine_takes_every_batch_that_a_tower_may_get(profile):
    assert BatchSizes().least == 1
    assert BatchSizes().most == config_of("siglip_vision", profile).max_batch_size


def test_graphs_are_captured_for_the_batches_that_run():
    """One frame, and whatever whole chunks make up; a lower bound would run rows of noise."""
    config = config_of("siglip_vision", "tensorrt")
    cuda = config.optimization.cuda
    assert cuda.graphs
    assert cuda.output_copy_stream
    sizes = [spec.batch_size for spec in cuda.graph_spec]
    assert sizes == [1, *range(CHUNK_FRAMES, config.max_batch_size + 1, CHUNK_FRAMES)]
    for spec in cuda.graph_spec:
        assert not spec.input
        assert not spec.HasField("graph_lower_bound")


@pytest.mark.parametrize("profile", CONTAINER_PROFILES)
def test_a_tower_is_warmed_with_the_batches_that_matter(profile):
    config = config_of("siglip_vision", profile)
    sizes = [warmup.batch_size for warmup in config.model_warmup]
    assert CHUNK_FRAMES in sizes
    if profile in GPU_PROFILES:
        assert sizes[0] == config.max_batch_size
    for warmup in config.model_warmup:
        (name,) = warmup.inputs
        assert name == config.input[0].name
        assert warmup.inputs[name].data_type == config.input[0].data_type
        assert warmup.inputs[name].dims == config.input[0].dims
        assert warmup.inputs[name].zero_data


@pytest.mark.parametrize("profile", CONTAINER_PROFILES)
def test_no_size_is_left_open_in_an_assembled_tower(tmp_path, profile):
    assemble(Assembly(models=MODELS, export=EXPORT, profile=profile), tmp_path / "repository")
    config = load_config(tmp_path / "repository/siglip_vision", profile)
    for warmup in config.model_warmup:
        assert warmup.inputs["FRAMES"].dims == config.input[0].dims
    assert "{" not in "".join(
        value
        for accelerator in config.optimization.execution_accelerators.gpu_execution_accelerator
        for value in accelerator.parameters.values()
    )


def test_an_engine_is_best_at_a_span_of_chunks():
    sampling = {k: v.string_value for k, v in config_of("video_analysis").parameters.items()}
    assert int(sampling["frames_per_chunk"]) == CHUNK_FRAMES
    assert BatchSizes().best == CHUNK_FRAMES * SPAN_CHUNKS
