# SPDX-License-Identifier: Apache-2.0
"""Names of engines, the search for one that fits, and the arguments of trtexec."""

import dataclasses
from pathlib import Path

import onnx
import pytest
from google.protobuf import text_format
from support.repository import EXPORT, MODELS
from support.trtexec import OPTIONS, VERSIONS, write_tools
from tritonclient.grpc import model_config_pb2

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.launch.engines.build import Build, trtexec_arguments
from trireel_backend.launch.engines.names import (
    TRTEXEC,
    BatchSizes,
    Gpu,
    TensorRT,
    complete_config,
    engine_name,
    find_engine,
    find_gpu,
    find_tensorrt,
)
from trireel_backend.launch.engines.subjects import vision_tower
from trireel_backend.launch.repository.assemble import load_config
from trireel_schema.files import METADATA_FILE, VISION_FILE

GPU = Gpu("NVIDIA H200", "9.0")
TENSORRT = TensorRT(Path("trtexec"), 11, 1, 0)


@pytest.fixture(scope="module")
def metadata():
    return dataclasses.replace(
        load_metadata(EXPORT / METADATA_FILE),
        checkpoint="google/siglip-so400m-patch14-384",
        weights_sha256="0123456789abcdef" * 4,
        precision="bf16",
        image_size_px=384,
    )


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Write stand-ins of trtexec and nvidia-smi and make them the only ones on PATH."""

    def write(**options):
        write_tools(tmp_path / "tools", **options)
        monkeypatch.setenv("PATH", str(tmp_path / "tools"))
        return tmp_path / "tools"

    return write


def test_an_engines_name_holds_all_that_it_depends_on(metadata):
    name = engine_name(metadata, GPU, TENSORRT, BatchSizes())
    assert name == (
        "siglip-so400m-patch14-384_0123456789ab_bf16_H200_sm9.0_trt11.1.0_b1-64-128.plan"
    )


@pytest.mark.parametrize(
    "changed",
    [
        {"checkpoint": "google/siglip2-base-patch16-224"},
        {"weights_sha256": "f" * 64},
        {"precision": "fp16"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_another_export_has_another_name(metadata, changed):
    other = dataclasses.replace(metadata, **changed)
    names = {engine_name(each, GPU, TENSORRT, BatchSizes()) for each in (metadata, other)}
    assert len(names) == 2


def test_another_machine_has_another_name(metadata):
    names = {
        engine_name(metadata, gpu, tensorrt, sizes)
        for gpu in (GPU, Gpu("NVIDIA H100 80GB HBM3", "9.0"), Gpu("NVIDIA H200", "10.0"))
        for tensorrt in (TENSORRT, dataclasses.replace(TENSORRT, patch=1))
        for sizes in (BatchSizes(), BatchSizes(1, 16, 128))
    }
    assert len(names) == 12


def test_a_name_is_a_plain_file_name(metadata):
    odd = dataclasses.replace(metadata, checkpoint="../a folder/my_model (1)")
    name = engine_name(odd, Gpu("NVIDIA GeForce RTX 4090 D/2", "8.9"), TENSORRT, BatchSizes())
    assert name.startswith("my-model-1_0123456789ab_bf16_GeForce-RTX-4090-D-2_sm8.9_")
    assert "/" not in name


def test_batch_sizes_are_read_and_written():
    assert BatchSizes.parse("1:16:64") == BatchSizes(1, 16, 64)
    assert str(BatchSizes(1, 16, 64)) == "1:16:64"


@pytest.mark.parametrize("text", ["", "64", "1:16", "1:16:64:128", "a:b:c", "-1:2:3"])
def test_a_text_that_is_not_batch_sizes_is_rejected(text):
    with pytest.raises(StartupError, match="give least:best:most, such as 1:64:128"):
        BatchSizes.parse(text)


@pytest.mark.parametrize("text", ["0:1:2", "2:1:3", "1:3:2"])
def test_batch_sizes_out_of_order_are_rejected(text):
    with pytest.raises(StartupError, match="each at least the one before it"):
        BatchSizes.parse(text)


@pytest.mark.parametrize("major", OPTIONS)
def test_the_version_is_read_from_trtexecs_first_line(tools, major):
    folder = tools(major=major)
    tensorrt = find_tensorrt()
    assert (tensorrt.version, tensorrt.major) == (VERSIONS[major], major)
    assert tensorrt.trtexec == folder / "trtexec"


def test_without_trtexec_the_message_names_the_container(tools):
    (tools() / "trtexec").unlink()
    assert not TRTEXEC.exists(), "this machine has TensorRT: the test needs one without"
    with pytest.raises(MissingPart, match=r"neither on PATH nor at .*: run this in the Triton con"):
        find_tensorrt()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo '&&&& RUNNING TensorRT.trtexec [TensorRT v8601]'", "does not report its .* v8601"),
        ("echo '[TensorRT v80601]'", "TensorRT 10 or newer is required"),
        ("echo nothing", "does not report its TensorRT version; it printed: nothing"),
        ("echo 'no libcuda.so.1' >&2; exit 127", "failed with 127: no libcuda.so.1"),
    ],
)
def test_a_trtexec_that_cannot_be_used_is_rejected(tools, text, message):
    (tools() / "trtexec").write_text(f"#!/bin/sh\n{text}\n")
    with pytest.raises(MissingPart, match=message):
        find_tensorrt()


def test_the_kind_of_gpu_comes_from_nvidia_smi(tools):
    tools(gpus="NVIDIA H100 80GB HBM3, 9.0\nNVIDIA H100 80GB HBM3, 9.0")
    assert find_gpu() == Gpu("NVIDIA H100 80GB HBM3", "9.0")


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "one kind of GPU is required, .* nvidia-smi reports: no GPU"),
        ("No devices were found", "nvidia-smi reports: No devices were found"),
        ("NVIDIA H200, 9.0\nNVIDIA L4, 8.9", "an engine fits only one; .* NVIDIA L4, 8.9"),
    ],
)
def test_more_or_fewer_than_one_kind_of_gpu_is_rejected(tools, answer, message):
    tools(gpus=answer)
    with pytest.raises(MissingPart, match=message):
        find_gpu()


def test_without_nvidia_smi_there_is_no_gpu(tools):
    (tools() / "nvidia-smi").unlink()
    with pytest.raises(MissingPart, match="nvidia-smi is not there"):
        find_gpu()


def test_an_engine_is_found_by_its_name(tools, tmp_path, metadata):
    tools()
    name = engine_name(metadata, GPU, TENSORRT, BatchSizes())
    (tmp_path / name).touch()
    assert find_engine(tmp_path, metadata) == tmp_path / name


def test_the_only_engine_of_other_batch_sizes_is_used(tools, tmp_path, metadata):
    tools()
    small, large = (
        tmp_path / engine_name(metadata, GPU, TENSORRT, BatchSizes(1, best, 128))
        for best in (16, 128)
    )
    small.touch()
    assert find_engine(tmp_path, metadata) == small
    large.touch()
    with pytest.raises(MissingPart, match=r"2 engines that fit, .*b1-128.*plan, .*: keep one"):
        find_engine(tmp_path, metadata)
    default = tmp_path / engine_name(metadata, GPU, TENSORRT, BatchSizes())
    default.touch()
    assert find_engine(tmp_path, metadata) == default


def test_an_engine_of_another_machine_is_not_used(tools, tmp_path, metadata):
    tools(major=10)
    for tensorrt in ("11.1.0", "10.0.0"):
        (tmp_path / f"x_0123456789ab_bf16_H200_sm9.0_trt{tensorrt}_b1-64-128.plan").touch()
    right = engine_name(metadata, GPU, TensorRT(Path("t"), 10, 0, 1), BatchSizes())
    (tmp_path / f"{right}.refused").touch()
    (tmp_path / f".{right}.unfinished").touch()
    with pytest.raises(MissingPart, match=r"has no siglip-so400m.*_trt10.0.1_.*, but x_.*plan, x_"):
        find_engine(tmp_path, metadata)
    with pytest.raises(MissingPart, match="but no engine: build it with scripts/build_engine"):
        find_engine(tmp_path / "nowhere", metadata)


def arguments(tensorrt, tmp_path):
    build = Build(
        export=tmp_path,
        engines=tmp_path,
        batch_sizes=BatchSizes(1, 16, 64),
        optimization_level=5,
        workspace_mib=4096,
        force=False,
        models=MODELS,
        tritonserver=tmp_path,
    )
    subject = dataclasses.replace(vision_tower(EXPORT, build.batch_sizes), row=(384, 384, 3))
    return trtexec_arguments(build, subject, tensorrt, tmp_path / "t.cache", tmp_path / "e.plan")


@pytest.mark.parametrize("major", OPTIONS)
def test_trtexec_has_every_option_that_it_gets(tmp_path, major):
    options = arguments(TensorRT(Path("trtexec"), major, 0, 0), tmp_path)
    assert {option.partition("=")[0] for option in options} <= OPTIONS[major]
    assert "--minShapes=FRAMES:1x384x384x3" in options
    assert "--optShapes=FRAMES:16x384x384x3" in options
    assert "--maxShapes=FRAMES:64x384x384x3" in options
    assert "--memPoolSize=workspace:4096" in options  # in MiB, the default unit
    assert "--builderOptimizationLevel=5" in options


def test_precision_is_the_graphs_in_every_version(tmp_path):
    """TensorRT 10 needs an option for it; 11 knows no other mode and deprecates the option."""
    by_major = {major: arguments(TensorRT(Path("t"), major, 0, 0), tmp_path) for major in (10, 11)}
    assert "--stronglyTyped" in by_major[10]
    assert set(by_major[10]) - set(by_major[11]) == {"--stronglyTyped"}


def test_the_frames_go_straight_into_a_cast():
    """TensorRT accepts bytes as a network's input, but only a cast can read them."""
    graph = onnx.load(EXPORT / VISION_FILE, load_external_data=False).graph
    readers = {node.op_type for node in graph.node if "FRAMES" in node.input}
    assert readers == {"Cast"}


def test_a_config_is_completed_with_the_exports_sizes(metadata):
    config = load_config(MODELS / "siglip_vision", "onnxruntime-tensorrt")
    complete_config(config, metadata)
    (accelerator,) = config.optimization.execution_accelerators.gpu_execution_accelerator
    assert accelerator.parameters["trt_profile_max_shapes"] == "FRAMES:128x384x384x3"
    assert accelerator.parameters["trt_engine_cache_prefix"] == "0123456789ab-bf16"
    assert "{" not in "".join(accelerator.parameters.values())
    for warmup in config.model_warmup:
        assert list(warmup.inputs["FRAMES"].dims) == [384, 384, 3]


def test_a_config_without_sizes_stays_as_it_is(metadata):
    config = model_config_pb2.ModelConfig(name="m")
    complete_config(config, metadata)
    assert text_format.MessageToString(config) == 'name: "m"\n'
