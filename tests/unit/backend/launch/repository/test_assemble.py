# SPDX-License-Identifier: Apache-2.0
"""Assembly of a model repository from model folders and an export."""

import shutil

import onnx
import onnxruntime as ort
import pytest
from support.cpu import needs_amx
from support.repository import EXPORT, MODELS

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.launch.repository.assemble import (
    Assembly,
    assemble,
    load_config,
    parameter_names,
)
from trireel_schema.files import EXPORT_FILES


def test_parameters_and_instances_are_set_where_they_exist(tmp_path):
    assembly = Assembly(
        models=MODELS,
        export=EXPORT,
        profile="embedded",
        parameters={"media_root": "/somewhere"},
        instances={"frame_extractor": 7},
    )
    assemble(assembly, tmp_path / "r")
    extractor = load_config(tmp_path / "r/frame_extractor", "embedded")
    assert extractor.parameters["media_root"].string_value == "/somewhere"
    assert extractor.instance_group[0].count == 7
    decoder = load_config(tmp_path / "r/temporal_decoder", "embedded")
    assert "media_root" not in decoder.parameters
    assert decoder.instance_group[0].count == 1


def queue_sizes(repository):
    configs = {path.name: load_config(path, "embedded") for path in repository.iterdir()}
    return {
        name: config.dynamic_batching.default_queue_policy.max_queue_size
        for name, config in configs.items()
        if config.dynamic_batching.default_queue_policy.max_queue_size
    }


def whole_videos(tmp_path, videos, **parameters):
    """Return the assembled config of video_analysis, for a number of videos in flight or None."""
    instances = {"video_analysis": videos} if videos else {}
    assembly = Assembly(MODELS, EXPORT, "embedded", parameters=parameters, instances=instances)
    assemble(assembly, tmp_path / "models")
    return load_config(tmp_path / "models/video_analysis", "embedded")


CAPACITIES = ("videos_in_flight", "max_waiting_videos", "max_waiting_upload_bytes")


@pytest.mark.parametrize(
    ("videos", "instances", "shares"),
    [
        (1, 1, (1, 64, 2**29)),
        (8, 1, (8, 64, 2**29)),
        (9, 2, (5, 32, 2**28)),
        (32, 4, (8, 16, 2**27)),
    ],
)
def test_whole_videos_share_a_few_instances(tmp_path, videos, instances, shares):
    config = whole_videos(tmp_path, videos)
    assert config.instance_group[0].count == instances
    assert tuple(int(config.parameters[name].string_value) for name in CAPACITIES) == shares
    assert queue_sizes(tmp_path / "models") == {}


def test_the_config_sets_the_number_of_whole_videos_by_default(tmp_path):
    parameters = {"videos_in_flight": "3", "max_waiting_videos": "0"}
    assemble(Assembly(MODELS, EXPORT, "embedded", parameters=parameters), tmp_path / "r")
    for name in ("video_analysis", "video_analysis_stream"):
        config = load_config(tmp_path / "r" / name, "embedded")
        assert config.instance_group[0].count == 1
        values = {key: config.parameters[key].string_value for key in parameters}
        assert values == parameters


def test_if_steps_are_traced_each_whole_video_has_an_instance(tmp_path):
    config = whole_videos(tmp_path, 5, trace_steps="true", max_waiting_videos="7")
    assert config.instance_group[0].count == 5
    assert config.parameters["videos_in_flight"].string_value == "1"
    assert queue_sizes(tmp_path / "models") == {"video_analysis": 7}


@pytest.mark.parametrize(("sequences", "slots"), [("300", 4096), ("10000", 20000)])
def test_triton_has_more_sequence_slots_than_the_model_accepts(tmp_path, sequences, slots):
    assemble(
        Assembly(MODELS, EXPORT, "embedded", parameters={"max_sequences": sequences}),
        tmp_path / "models",
    )
    config = load_config(tmp_path / "models/temporal_decoder", "embedded")
    assert config.parameters["max_sequences"].string_value == sequences
    assert config.sequence_batching.oldest.max_candidate_sequences == slots


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("max_waiting_videos", "-1", 0),
        ("max_waiting_videos", "many", 0),
        ("max_waiting_videos", "", 0),
        ("videos_in_flight", "0", 1),
        ("videos_in_flight", "few", 1),
    ],
)
def test_a_capacity_that_is_not_a_number_is_rejected(tmp_path, name, value, least):
    message = f"{name} of video_analysis is '{value}': give a number, {least} or more"
    with pytest.raises(StartupError, match=message):
        whole_videos(tmp_path, None, **{name: value})


def test_a_queue_is_no_longer_than_tritons_config_allows(tmp_path):
    whole_videos(tmp_path, 1, trace_steps="true", max_waiting_videos=str(10**12))
    assert queue_sizes(tmp_path / "models") == {"video_analysis": 2**32 - 1}


def test_the_exports_files_are_linked_to_and_not_copied(tmp_path):
    assemble(Assembly(models=MODELS, export=EXPORT, profile="embedded"), tmp_path / "r")
    model = tmp_path / "r/siglip_vision/1/model.onnx"
    assert model.is_symlink()
    assert model.samefile(EXPORT / "vision.onnx")


@pytest.mark.parametrize("name", EXPORT_FILES)
def test_an_incomplete_export_is_named(tmp_path, name):
    shutil.copytree(EXPORT, tmp_path / "export")
    (tmp_path / "export" / name).unlink()
    with pytest.raises(MissingPart, match=f"lacks {name}: give the output folder"):
        assemble(Assembly(MODELS, tmp_path / "export", "embedded"), tmp_path / "r")


def test_a_folder_without_models_is_named(tmp_path):
    with pytest.raises(MissingPart, match="holds no model folders"):
        assemble(Assembly(tmp_path, EXPORT, "container"), tmp_path / "r")


def test_a_profile_that_no_model_has_is_named(tmp_path):
    with pytest.raises(MissingPart, match=r"no model has configs/embeded\.pbtxt"):
        assemble(Assembly(MODELS, EXPORT, "embeded"), tmp_path / "r")


@pytest.mark.parametrize("content", ["{}", '{"format_version": 1}', "not json"])
def test_incomplete_metadata_is_named(tmp_path, content):
    (tmp_path / "metadata.json").write_text(content)
    with pytest.raises(MissingPart, match="export the checkpoint again"):
        load_metadata(tmp_path / "metadata.json")


def test_a_bank_of_other_weights_is_rejected(bank_files):
    path = bank_files["metadata.json"]
    path.write_text(path.read_text().replace("00ff", "11ee"))
    with pytest.raises(MissingPart, match="take all files from one export"):
        load_text_bank(bank_files["text_bank.npz"], load_metadata(path))


def test_metadata_of_another_format_is_rejected(bank_files):
    path = bank_files["metadata.json"]
    path.write_text(path.read_text().replace('"format_version": 1', '"format_version": 2'))
    with pytest.raises(MissingPart, match="has format 2, this version of Trireel reads 1"):
        load_metadata(path)


@pytest.mark.parametrize(
    ("profile", "engine", "served"),
    [
        ("embedded", None, False),
        ("embedded", "openvino", False),
        pytest.param("embedded", "openvino-bf16", True, marks=needs_amx),
        ("cpu", None, False),
        ("container", None, True),
    ],
)
def test_bf16_is_served_only_if_a_runtime_supports_it(tmp_path, profile, engine, served):
    shutil.copytree(EXPORT, tmp_path / "export")
    path = tmp_path / "export/metadata.json"
    path.write_text(path.read_text().replace('"fp32"', '"bf16"'))
    assembly = Assembly(
        MODELS, tmp_path / "export", profile, {"tower_engine": engine} if engine else {}
    )
    if served:
        assert assemble(assembly, tmp_path / "r").precision == "bf16"
    else:
        with pytest.raises(MissingPart, match="is a bf16 export, which onnxruntime runs only on"):
            assemble(assembly, tmp_path / "r")


def test_weights_beside_a_large_model_are_linked_too(tmp_path):
    shutil.copytree(EXPORT, tmp_path / "export")
    vision = tmp_path / "export/vision.onnx"
    model = onnx.load(vision)
    onnx.save_model(model, vision, save_as_external_data=True, location="vision.onnx.data")
    assemble(Assembly(MODELS, tmp_path / "export", "embedded"), tmp_path / "r")
    session = ort.InferenceSession(tmp_path / "r/siglip_vision/1/model.onnx")
    assert len(session.get_outputs()) == 1


def test_an_engine_replaces_the_onnx_file_of_the_tower(tmp_path):
    engine = tmp_path / "tower.plan"
    engine.write_bytes(b"an engine")
    shutil.copytree(EXPORT, tmp_path / "export")
    (tmp_path / "export/vision.onnx").unlink()
    assemble(Assembly(MODELS, tmp_path / "export", "tensorrt", engine=engine), tmp_path / "r")
    version = tmp_path / "r/siglip_vision/1"
    assert (version / "model.plan").samefile(engine)
    assert not (version / "model.onnx").is_symlink()
    assert (tmp_path / "r/siglip_text/1/model.onnx").exists()


def test_an_engine_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingPart, match=r"none\.plan is not there: give a TensorRT engine"):
        assemble(
            Assembly(MODELS, EXPORT, "tensorrt", engine=tmp_path / "none.plan"), tmp_path / "r"
        )


def test_the_engine_of_the_tower_is_checked_and_set(tmp_path):
    assembly = Assembly(MODELS, EXPORT, "embedded", {"tower_engine": "openvino"})
    assemble(assembly, tmp_path / "r")
    vision, text = (
        load_config(tmp_path / f"r/{name}", "embedded") for name in ("siglip_vision", "siglip_text")
    )
    assert vision.parameters["tower_engine"].string_value == "openvino"
    assert "tower_engine" not in text.parameters
    elsewhere = Assembly(MODELS, EXPORT, "cpu", {"tower_engine": "openvino"})
    with pytest.raises(StartupError, match="tower_engine is for profile 'embedded': in 'cpu' a"):
        assemble(elsewhere, tmp_path / "elsewhere")
    wrong = Assembly(MODELS, EXPORT, "embedded", {"tower_engine": "tensorflow"})
    with pytest.raises(StartupError, match="tower_engine is 'tensorflow': give one of"):
        assemble(wrong, tmp_path / "wrong")
    assert not (tmp_path / "wrong").exists()


def test_the_parameters_of_all_models_are_known():
    examples = {"media_root", "s3_buckets", "videos_in_flight", "threads", "tower_engine"}
    assert examples <= parameter_names(MODELS)
