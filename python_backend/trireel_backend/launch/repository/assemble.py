# SPDX-License-Identifier: Apache-2.0
"""Putting model folders and an export together into a repository that Triton can load."""

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from trireel_backend.artifacts import load_metadata
from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.launch.engines.names import complete_config
from trireel_backend.launch.repository.findings import add_findings
from trireel_backend.towers.runtimes import ONNXRUNTIME, OPENVINO_BF16, check_tower_runtime
from trireel_schema.files import (
    EXPORT_FILES,
    GATE_FILE,
    METADATA_FILE,
    TEXT_BANK_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    VISION_FILE,
    weights_file,
)
from trireel_schema.metadata import Metadata
from trireel_schema.precision import Precision

MODEL_FILES = {
    "frame_extractor": {METADATA_FILE: METADATA_FILE},
    "siglip_vision": {
        VISION_FILE: "model.onnx",
        **{name: name for name in (METADATA_FILE, TEXT_BANK_FILE, GATE_FILE)},
    },
    "siglip_text": {TEXT_FILE: "model.onnx", TOKENIZER_FILE: TOKENIZER_FILE},
    "temporal_decoder": {METADATA_FILE: METADATA_FILE, TEXT_BANK_FILE: TEXT_BANK_FILE},
}
"""For each model the files of an export it needs, and their names in its version folder."""

ENGINE_NAME = "model.plan"
"""What the version folder calls a TensorRT engine."""

WAITING_VIDEOS = "max_waiting_videos"
"""Parameter that says how many whole videos may wait in a model."""
WAITING_BYTES = "max_waiting_upload_bytes"
"""Parameter that says how large the uploads among them may be together."""
WHOLE_VIDEO_MODEL = "video_analysis"
"""The model of which `instances` counts whole videos under way, whatever processes they share."""
MOST_QUEUED = 2**32 - 1  # that Triton's config can say
MOST_VIDEOS_AN_INSTANCE = 8  # at 7 ms of Python a video, and 32 calls that Triton lets it make
MAX_SEQUENCES = "max_sequences"
"""Parameter that says how many sequences clients may have open in a model."""

DEFAULT_PROFILE = "container"
EMBEDDED_PROFILE = "embedded"
CUDA_PROVIDER = "CUDAExecutionProvider"
EMBEDDING_TENSORS = ("EMBEDDINGS", "CHUNK_EMBEDDINGS", "TAG_EMBEDDINGS")


@dataclass(frozen=True)
class Assembly:
    """What a repository is put together from."""

    models: Path
    """Folder of model folders: config.pbtxt, configs/, 1/model.py."""
    export: Path
    """Output folder of trireel-export."""
    profile: str
    """Name of the configs/<profile>.pbtxt that stand in for config.pbtxt where they exist."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values for the models' parameters of these names."""
    instances: Mapping[str, int] = field(default_factory=dict)
    """Instances of the models of these names; of video_analysis the videos under way."""
    engine: Path | None = None
    """TensorRT engine of the vision tower, which then stands for its ONNX file."""


def assemble(assembly: Assembly, target: Path) -> Metadata:
    """Write the repository into the folder `target`, which must not exist.

    Small files are copied; the export's and the engine are linked to. Every model's config is
    written with the sizes of this checkpoint, so that Triton itself refuses a tensor of another
    size.

    Raises:
        MissingPart: the export, the engine or a model folder is not complete, or nothing here
            computes in the export's precision.
        StartupError: this machine cannot run the `tower_engine` among the parameters.
    """
    sources = _sources(assembly)
    _check_profile(assembly)
    _check_tower_engine(assembly)
    metadata = load_metadata(assembly.export / METADATA_FILE)
    _check_precision(assembly, metadata)
    for folder in sorted(path.parent for path in assembly.models.glob("*/config.pbtxt")):
        shutil.copytree(
            folder / "1", target / folder.name / "1", ignore=shutil.ignore_patterns("__pycache__")
        )
        config = load_config(folder, assembly.profile)
        _apply(config, metadata, assembly)
        (target / folder.name / "config.pbtxt").write_text(text_format.MessageToString(config))
        for name, source in sources.get(folder.name, {}).items():
            _link(source, target / folder.name / "1" / name)
    if not target.exists():
        raise MissingPart(f"{assembly.models} holds no model folders")
    return metadata


def _link(source: Path, target: Path) -> None:
    target.symlink_to(source.resolve())
    # Weights too large for one ONNX file lie beside it, and the file names them.
    data = source.with_name(weights_file(source.name))
    if data.is_file():
        target.with_name(data.name).symlink_to(data.resolve())


def load_config(folder: Path, profile: str) -> Any:
    """Parse a model folder's config for a profile into a ModelConfig message.

    Raises:
        text_format.ParseError: a field is misspelt or a value of the wrong type.
    """
    variant = folder / "configs" / f"{profile}.pbtxt"
    path = variant if variant.is_file() else folder / "config.pbtxt"
    return _parse(path)


def _parse(path: Path) -> Any:
    return text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())


def parameter_names(models: Path) -> frozenset[str]:
    """Return the names of all parameters that the models' configs have, of any profile."""
    paths = [*models.glob("*/config.pbtxt"), *models.glob("*/configs/*.pbtxt")]
    return frozenset(name for path in paths for name in _parse(path).parameters)


def _share_out(config: Any, wanted: int | None) -> None:
    """Spread the whole videos under way, and those that wait, over instances.

    Few instances have many each, as what waits in one is of no use to another; where their steps
    are traced each instance has one, and Triton's queue those that wait.

    Args:
        wanted: videos under way in all instances, None for as many as the config says.

    Raises:
        StartupError: a number is none.
    """
    videos = wanted or _whole_number(config, "videos_in_flight", least=1)
    if config.parameters["trace_steps"].string_value == "true":
        config.instance_group[0].count = videos
        # No timeout: before 26.08 one starves the batcher. To Triton 0 is no bound.
        bound = min(max(1, _whole_number(config, WAITING_VIDEOS)), MOST_QUEUED)
        config.parameters["videos_in_flight"].string_value = "1"
        config.parameters[WAITING_VIDEOS].string_value = "0"
        config.dynamic_batching.default_queue_policy.max_queue_size = bound
        return
    instances = math.ceil(videos / MOST_VIDEOS_AN_INSTANCE)
    config.instance_group[0].count = instances
    shares = {"videos_in_flight": videos}
    shares |= {name: _whole_number(config, name) for name in (WAITING_VIDEOS, WAITING_BYTES)}
    for name, number in shares.items():
        config.parameters[name].string_value = str(math.ceil(number / instances))


def _whole_number(config: Any, name: str, *, least: int = 0) -> int:
    text = config.parameters[name].string_value
    if not text.isdecimal() or int(text) < least:
        raise StartupError(f"{name} of {config.name} is {text!r}: give a number, {least} or more")
    return int(text)


def _make_places(config: Any, parameters: Mapping[str, str]) -> None:
    """Give Triton's sequence batcher more places than the model lets sequences open.

    Beyond its places Triton lets sequences wait without a bound, and one that the model refuses
    keeps its place until it has been idle.
    """
    wanted = parameters.get(MAX_SEQUENCES, "")
    if MAX_SEQUENCES not in config.parameters or not wanted.isdecimal():
        return  # what is no number the model refuses itself
    oldest = config.sequence_batching.oldest
    oldest.max_candidate_sequences = max(oldest.max_candidate_sequences, 2 * int(wanted))


def _sources(assembly: Assembly) -> dict[str, dict[str, Path]]:
    """Return for each model the files to link to by their names in its version folder, checked."""
    needed = [name for name in EXPORT_FILES if assembly.engine is None or name != VISION_FILE]
    missing = [name for name in needed if not (assembly.export / name).is_file()]
    if missing:
        raise MissingPart(
            f"{assembly.export} lacks {', '.join(missing)}: give the output folder of"
            " trireel-export"
        )
    sources = {
        model: {name: assembly.export / source for source, name in files.items()}
        for model, files in MODEL_FILES.items()
    }
    if assembly.engine is not None:
        if not assembly.engine.is_file():
            raise MissingPart(f"{assembly.engine} is not there: give a TensorRT engine")
        sources["siglip_vision"] = {ENGINE_NAME: assembly.engine}
    return sources


def _check_profile(assembly: Assembly) -> None:
    if assembly.profile == DEFAULT_PROFILE:
        return
    if not any(assembly.models.glob(f"*/configs/{assembly.profile}.pbtxt")):
        raise MissingPart(
            f"no model has configs/{assembly.profile}.pbtxt: give a profile that one has, or"
            f" {DEFAULT_PROFILE!r} for each model's config.pbtxt"
        )


def _check_precision(assembly: Assembly, metadata: Metadata) -> None:
    if metadata.precision is not Precision.BF16 or _tower_engine(assembly) == OPENVINO_BF16:
        return
    if not _has_gpu(assembly.profile):
        openvino = assembly.profile == EMBEDDED_PROFILE
        raise MissingPart(
            f"{assembly.export} is a bf16 export, which onnxruntime computes on GPUs alone: export"
            " the checkpoint with --precision fp32 for this machine,"
            f"{f' take --tower-engine {OPENVINO_BF16},' if openvino else ''} or serve it on a GPU"
        )


def _check_tower_engine(assembly: Assembly) -> None:
    if "tower_engine" in assembly.parameters and assembly.profile != EMBEDDED_PROFILE:
        raise StartupError(
            f"tower_engine is for profile {EMBEDDED_PROFILE!r}: in {assembly.profile!r} a backend"
            " of Triton's computes the tower"
        )
    check_tower_runtime(_tower_engine(assembly))


def _tower_engine(assembly: Assembly) -> str:
    served = assembly.profile == EMBEDDED_PROFILE  # the others have a backend of Triton's for it
    return assembly.parameters.get("tower_engine", ONNXRUNTIME) if served else ONNXRUNTIME


def _has_gpu(profile: str) -> bool:
    if profile == EMBEDDED_PROFILE:
        # Only here: loading it takes as long as all the rest.
        import onnxruntime

        return CUDA_PROVIDER in onnxruntime.get_available_providers()
    return profile != "cpu"


def _apply(config: Any, metadata: Metadata, assembly: Assembly) -> None:
    for tensor in [*config.input, *config.output]:
        if tensor.name == "FRAMES":  # [..., S, S, RGB]
            tensor.dims[-3:-1] = [metadata.image_size_px] * 2
        elif tensor.name in EMBEDDING_TENSORS:  # [..., D]
            tensor.dims[-1] = metadata.embedding_dim
    complete_config(config, metadata)
    add_findings(config)
    for name, value in assembly.parameters.items():
        if name in config.parameters:
            config.parameters[name].string_value = value
    _make_places(config, assembly.parameters)
    instances = assembly.instances.get(config.name)
    if config.name == WHOLE_VIDEO_MODEL:
        _share_out(config, instances)
    elif instances is not None:
        config.instance_group[0].count = instances
