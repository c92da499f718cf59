# SPDX-License-Identifier: Apache-2.0
"""Every config.pbtxt against the others, the code and the exported ONNX files."""

import onnxruntime as ort
import pytest
from google.protobuf import text_format
from support.repository import EXPORT, MODELS
from tritonclient.grpc import model_config_pb2

from trireel_backend.extraction.settings import SamplingSettings
from trireel_backend.launch.repository.assemble import (
    EMBEDDING_TENSORS,
    OF_ANY_SIZE,
    Assembly,
    assemble,
    load_config,
)
from trireel_backend.launch.repository.findings import add_findings
from trireel_backend.whole_video.stages import (
    ENCODER_OUTPUTS,
    LOOK_OUTPUTS,
    TEXT_BATCH,
)
from trireel_backend.wire.parameters import read_settings
from trireel_schema.catalogue import FINDINGS, SEQUENCE_OUTPUTS, TENSORS, finding_outputs
from trireel_schema.files import TEXT_FILE, VISION_FILE

NAMES = sorted(path.parent.name for path in MODELS.glob("*/config.pbtxt"))
PROFILES = ["container", "cpu", "onnxruntime-tensorrt", "tensorrt", "embedded"]
# Fields of newer releases: one of them makes the embedded one refuse a model.
UNKNOWN_TO_2_51 = ("model_metrics", "max_inflight_requests")
ENSEMBLES = ["chunk_encoder", "frame_chunk", "video_chunk"]
OTHER_SHAPES = ("TEXTS", "EMBEDDINGS", "FRAMES")
"""A text is a row of a batch; a tower's batch dimension stands for frames."""
ONNX_TYPES = {"tensor(uint8)": "TYPE_UINT8", "tensor(float)": "TYPE_FP32"}


def config_of(name, profile="embedded"):
    config = load_config(MODELS / name, profile)
    add_findings(config)
    return config


def type_name(tensor):
    return model_config_pb2.DataType.Name(tensor.data_type)


def tensors(config):
    inputs = {tensor.name: tensor for tensor in config.input}
    outputs = {tensor.name: tensor for tensor in config.output}
    return inputs, outputs


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_a_config_is_named_as_its_folder(name, profile):
    assert config_of(name, profile).name == name


def test_all_models_are_there():
    assert set(NAMES) == {
        *ENSEMBLES,
        *("frame_extractor", "siglip_text", "siglip_vision", "temporal_decoder", "shot_boundary"),
        *("clip_encoder", "caption_extents", "describe"),
        *("text_detector", "text_recognizer"),
        *("object_detector", "object_tracker"),
        *("video_analysis", "video_analysis_stream", "server_info"),
    }


def test_a_misspelt_field_is_refused(tmp_path):
    (tmp_path / "config.pbtxt").write_text('name: "m" bakend: "python"')
    with pytest.raises(text_format.ParseError, match="bakend"):
        load_config(tmp_path, "embedded")


@pytest.mark.parametrize("name", NAMES)
def test_the_embedded_release_knows_every_field(name):
    for path in [MODELS / name / "config.pbtxt", *(MODELS / name / "configs").glob("*.pbtxt")]:
        assert not [field for field in UNKNOWN_TO_2_51 if field in path.read_text()]


@pytest.mark.parametrize("name", ENSEMBLES)
def test_an_ensembles_tensors_are_those_of_its_steps(name):
    """Data types match; a tensor that a step may leave out may be left out of the ensemble."""
    config = config_of(name)
    inputs, outputs = tensors(config)
    types = {tensor.name: type_name(tensor) for tensor in config.input}
    for step in config.ensemble_scheduling.step:
        step_config = config_of(step.model_name)
        step_inputs, step_outputs = tensors(step_config)
        for tensor_name, ensemble_name in step.input_map.items():
            assert types[ensemble_name] == type_name(step_inputs[tensor_name]), ensemble_name
            if ensemble_name in inputs:
                assert inputs[ensemble_name].optional == step_inputs[tensor_name].optional
        missing = step_inputs.keys() - step.input_map.keys()
        assert [n for n in missing if not step_inputs[n].optional] == []
        for tensor_name, ensemble_name in step.output_map.items():
            types[ensemble_name] = type_name(step_outputs[tensor_name])
            if ensemble_name in outputs:
                batch = [-1] if step_config.max_batch_size else []
                expected = batch + list(step_outputs[tensor_name].dims)
                assert list(outputs[ensemble_name].dims) == expected
    assert {n: type_name(tensor) for n, tensor in outputs.items()}.items() <= types.items()


@pytest.mark.parametrize("name", ["video_chunk", "frame_chunk"])
def test_a_stateful_ensemble_answers_all_that_the_decoder_does(name):
    _, outputs = tensors(config_of(name))
    _, decoder_outputs = tensors(config_of("temporal_decoder"))
    assert decoder_outputs.keys() <= outputs.keys()


def test_unary_and_stream_have_one_interface():
    unary, stream = config_of("video_analysis"), config_of("video_analysis_stream")
    assert (unary.input, unary.output) == (stream.input, stream.output)
    assert stream.model_transaction_policy.decoupled
    assert not unary.model_transaction_policy.decoupled
    same = set(unary.parameters) - {"videos_in_flight", "trace_steps", "media_root_id"}
    assert {k: unary.parameters[k] for k in same} == {k: stream.parameters[k] for k in same}


def test_a_whole_videos_answer_has_every_tensor_of_the_decoder():
    _, decoder_outputs = tensors(config_of("temporal_decoder"))
    _, outputs = tensors(config_of("video_analysis"))
    of_findings = decoder_outputs.keys() - set(SEQUENCE_OUTPUTS)
    assert set(finding_outputs(tuple(FINDINGS))) == of_findings <= outputs.keys()
    for name in of_findings:
        assert type_name(decoder_outputs[name]) == type_name(outputs[name]), name


def test_what_the_orchestrator_asks_for_is_there():
    assert set(LOOK_OUTPUTS) <= tensors(config_of("frame_extractor"))[1].keys()
    assert set(ENCODER_OUTPUTS) <= tensors(config_of("chunk_encoder"))[1].keys()
    assert config_of("siglip_text").max_batch_size == TEXT_BATCH


@pytest.mark.parametrize("name", ["frame_extractor", "video_analysis", "video_analysis_stream"])
def test_a_chunk_fits_into_one_batch_of_the_tower(name):
    parameters = {k: v.string_value for k, v in config_of(name).parameters.items()}
    sampling = read_settings(SamplingSettings, parameters)
    assert sampling.max_frames_per_chunk <= config_of("siglip_vision").max_batch_size


@pytest.mark.parametrize("name", ["temporal_decoder", "object_tracker"])
def test_a_sequence_is_kept_without_a_correlation_id_control(name):
    batching = config_of(name).sequence_batching
    assert config_of(name).max_batch_size == 0
    assert [control.name for control in batching.control_input] == ["START", "END"]


@pytest.mark.parametrize("name", ["temporal_decoder", "object_tracker"])
def test_there_is_room_for_sequences_that_are_refused(name):
    config = config_of(name)
    # Beyond what Triton takes in they would wait, as many as come.
    taken_in = config.sequence_batching.oldest.max_candidate_sequences
    assert taken_in >= 10 * int(config.parameters["max_sequences"].string_value)


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_no_queue_has_a_policy_that_slows_it(name, profile):
    # With one Triton hands requests to free instances late, up to half a second; and before 26.08
    # a timeout starves the batcher.
    assert not config_of(name, profile).dynamic_batching.HasField("default_queue_policy")


@pytest.mark.parametrize("name", ["video_analysis", "video_analysis_stream"])
def test_whole_videos_that_wait_are_bounded(name):
    parameters = config_of(name).parameters
    assert int(parameters["max_waiting_videos"].string_value) == 64
    assert int(parameters["max_waiting_upload_bytes"].string_value) == 2**29


@pytest.mark.parametrize("profile", PROFILES)
def test_an_assembled_tower_has_the_tensors_of_its_onnx_file(tmp_path, profile):
    assemble(Assembly(models=MODELS, export=EXPORT, profile=profile), tmp_path / "repository")
    folder = tmp_path / "repository/siglip_vision"
    config = load_config(folder, profile)
    session = ort.InferenceSession(folder / "1/model.onnx")
    for ours, theirs in (
        (config.input, session.get_inputs()),
        (config.output, session.get_outputs()),
    ):
        assert [tensor.name for tensor in ours] == [tensor.name for tensor in theirs]
        for tensor, node in zip(ours, theirs, strict=True):
            assert type_name(tensor) == ONNX_TYPES[node.type]
            assert list(tensor.dims) == node.shape[1:]
            assert isinstance(node.shape[0], str), "the batch must be free"


def test_an_assembled_text_tower_fits_its_model(tmp_path):
    metadata = assemble(Assembly(models=MODELS, export=EXPORT, profile="embedded"), tmp_path / "r")
    session = ort.InferenceSession(EXPORT / TEXT_FILE)
    assert session.get_inputs()[0].shape[1] == metadata.text_length
    (output,) = load_config(tmp_path / "r/siglip_text", "embedded").output
    assert list(output.dims) == session.get_outputs()[0].shape[1:] == [metadata.embedding_dim]


def test_a_chunks_way_through_an_assembled_repository_has_one_size(tmp_path):
    metadata = assemble(Assembly(models=MODELS, export=EXPORT, profile="embedded"), tmp_path / "r")
    size_px, width = metadata.image_size_px, metadata.embedding_dim
    assert not (tmp_path / "r/shot_boundary").exists()  # a server without the model's files
    assert not (tmp_path / "r/text_detector").exists()
    assert not (tmp_path / "r/object_detector").exists()
    of_text = {"text_detector", "text_recognizer", "caption_extents"}
    left_out = {"shot_boundary", "object_detector", "describe", *of_text}
    for name in set(NAMES) - left_out - OF_ANY_SIZE:
        config = load_config(tmp_path / "r" / name, "embedded")
        for tensor in [*config.input, *config.output]:
            if tensor.name == "FRAMES":
                assert list(tensor.dims)[-3:] == [size_px, size_px, 3]
            elif tensor.name in EMBEDDING_TENSORS:
                assert tensor.dims[-1] == width
            elif tensor.name == "WITH_EMBEDDINGS":
                assert list(tensor.dims) == [1]
    assert (EXPORT / VISION_FILE).is_file()


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", NAMES)
def test_every_tensor_is_as_the_catalogue_says(name, profile):
    config = config_of(name, profile)
    for tensor in [*config.input, *config.output]:
        known = TENSORS[tensor.name]
        dtype = type_name(tensor).removeprefix("TYPE_").replace("STRING", "BYTES")
        assert dtype == known.dtype, tensor.name
        shape = known.shape[1:] if config.max_batch_size else known.shape
        assert fits(list(tensor.dims), shape) or tensor.name in OTHER_SHAPES, tensor.name


def fits(dims, shape):
    """Symbols fit any size, a number only itself."""
    sizes = [(dim, size) for dim, size in zip(dims, shape, strict=False) if size != dim]
    return len(dims) == len(shape) and all(isinstance(size, str) for _, size in sizes)


def test_every_tensor_of_the_catalogue_belongs_to_a_model():
    named = {t.name for name in NAMES for t in [*config_of(name).input, *config_of(name).output]}
    assert named == TENSORS.keys()
