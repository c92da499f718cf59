# SPDX-License-Identifier: Apache-2.0
"""Assemble model folders and an export into a repository that Triton can load."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from trireel_backend.artifacts import load_metadata
from trireel_backend.describing.configuration import load_backends
from trireel_backend.errors import MissingPart, StartupError
from trireel_backend.launch.engines.names import ENGINE_NAME, complete_config
from trireel_backend.launch.repository.capacity import distribute_videos, set_sequence_slots
from trireel_backend.launch.repository.describe import tell_about_describer
from trireel_backend.launch.repository.detector import complete_detector, detector_sources
from trireel_backend.launch.repository.facts import ENGINE, set_facts
from trireel_backend.launch.repository.findings import add_findings
from trireel_backend.launch.repository.shots import complete_shots, shot_sources
from trireel_backend.launch.repository.text import NEED_TEXT_MODELS, text_sources
from trireel_backend.text_models.files import TEXT_MODELS
from trireel_backend.towers.runtimes import ONNXRUNTIME, OPENVINO_BF16, check_tower_runtime
from trireel_schema.catalogue import FREE_TEXTS
from trireel_schema.description import DESCRIBE_MODEL
from trireel_schema.detector import DETECTOR_MODEL
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
from trireel_schema.shots import SHOT_MODEL

MODEL_FILES = {
    "frame_extractor": {METADATA_FILE: METADATA_FILE},
    "siglip_vision": {
        VISION_FILE: "model.onnx",
        **{name: name for name in (METADATA_FILE, TEXT_BANK_FILE, GATE_FILE)},
    },
    "siglip_text": {
        TEXT_FILE: "model.onnx",
        **{name: name for name in (METADATA_FILE, TOKENIZER_FILE)},
    },
    **{
        model: {METADATA_FILE: METADATA_FILE, TEXT_BANK_FILE: TEXT_BANK_FILE}
        for model in ("temporal_decoder", "server_info")
    },
}
"""The files of an export that each model needs, and their names in its version folder."""

WHOLE_VIDEO_MODEL = "video_analysis"
"""The model whose `instances` setting counts whole videos in flight, not processes."""
DEFAULT_PROFILE = "container"
EMBEDDED_PROFILE = "embedded"
CUDA_PROVIDER = "CUDAExecutionProvider"
OF_ANY_SIZE = frozenset(("clip_encoder",))
"""Models whose FRAMES are not those of the vision tower."""
EMBEDDING_TENSORS = ("EMBEDDINGS", "CHUNK_EMBEDDINGS", *FREE_TEXTS.values())


@dataclass(frozen=True)
class Assembly:
    """The parts and settings of a repository."""

    models: Path
    """Folder of model folders: config.pbtxt, configs/, 1/model.py."""
    export: Path
    """Output folder of trireel-export."""
    profile: str
    """Name of a profile: a model's configs/<profile>.pbtxt, if any, replaces its config.pbtxt."""
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values of the models' parameters, by name."""
    instances: Mapping[str, int] = field(default_factory=dict)
    """Number of instances by model name; for video_analysis, of whole videos in flight."""
    engine: Path | None = None
    """TensorRT engine of the vision tower, used instead of its ONNX file; None for the file."""
    shots: Path | None = None
    """Folder of the model `shot_boundary`; None for a repository without it."""
    shot_engine: Path | None = None
    """TensorRT engine of `shot_boundary`, used instead of its ONNX file; None for the file."""
    text_models: Path | None = None
    """Folder of the models that read text; None for a repository without them."""
    detector: Path | None = None
    """Folder of the model `object_detector`; None for a repository without it."""
    detector_engine: Path | None = None
    """TensorRT engine of `object_detector`, used instead of its ONNX file; None for the file."""
    describe: Path | None = None
    """File of the backends of `describe`; None for a repository without it."""

    @property
    def left_out(self) -> frozenset[str]:
        """Models of which the repository has no files."""
        optional = {
            SHOT_MODEL: self.shots,
            DETECTOR_MODEL: self.detector,
            DESCRIBE_MODEL: self.describe,
            **dict.fromkeys(NEED_TEXT_MODELS, self.text_models),
        }
        return frozenset(model for model, folder in optional.items() if folder is None)


def assemble(assembly: Assembly, target: Path) -> Metadata:
    """Write the repository into the folder `target`, which must not exist.

    The models' own small files are copied; the export's files and the engine are linked to. Every
    model's config is written with the sizes of this checkpoint, so that Triton itself rejects a
    tensor of another size.

    Raises:
        MissingPart: if the export, the engine or a model folder is incomplete, or if no runtime
            on this machine supports the export's precision.
        StartupError: if this machine cannot run the parameters' `tower_engine`.
    """
    sources = _sources(assembly)
    _check_profile(assembly)
    _check_tower_engine(assembly)
    metadata = load_metadata(assembly.export / METADATA_FILE)
    _check_precision(assembly, metadata)
    for folder in sorted(path.parent for path in assembly.models.glob("*/config.pbtxt")):
        if folder.name in assembly.left_out:
            continue
        shutil.copytree(
            folder / "1", target / folder.name / "1", ignore=shutil.ignore_patterns("__pycache__")
        )
        config = load_config(folder, assembly.profile)
        _apply(config, metadata, assembly)
        (target / folder.name / "config.pbtxt").write_text(text_format.MessageToString(config))
        for name, source in sources.get(folder.name, {}).items():
            _link(source, target / folder.name / "1" / name)
    if assembly.describe is not None:
        tell_about_describer(load_backends(assembly.describe), target)
    if not target.exists():
        raise MissingPart(f"{assembly.models} holds no model folders")
    return metadata


def _link(source: Path, target: Path) -> None:
    target.symlink_to(source.resolve())
    # Weights too large for one ONNX file are in a second file that the first one names.
    data = source.with_name(weights_file(source.name))
    if data.is_file():
        target.with_name(data.name).symlink_to(data.resolve())


def load_config(folder: Path, profile: str) -> Any:
    """Parse a model folder's config for a profile into a ModelConfig message.

    Raises:
        text_format.ParseError: if a field is misspelt or a value has the wrong type.
    """
    variant = folder / "configs" / f"{profile}.pbtxt"
    path = variant if variant.is_file() else folder / "config.pbtxt"
    return _parse(path)


def _parse(path: Path) -> Any:
    return text_format.Parse(path.read_text(), model_config_pb2.ModelConfig())


def parameter_names(models: Path) -> frozenset[str]:
    """Return the names of all parameters in the models' configs, of all profiles."""
    paths = [*models.glob("*/config.pbtxt"), *models.glob("*/configs/*.pbtxt")]
    return frozenset(name for path in paths for name in _parse(path).parameters)


def _sources(assembly: Assembly) -> dict[str, dict[str, Path]]:
    """Return for each model the files to link to, by name in its version folder; check them."""
    names = [name for name in EXPORT_FILES if assembly.engine is None or name != VISION_FILE]
    missing = [name for name in names if not (assembly.export / name).is_file()]
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
    if assembly.shots is not None:
        sources[SHOT_MODEL] = shot_sources(assembly.shots, assembly.shot_engine)
    if assembly.text_models is not None:
        read = text_sources(assembly.text_models)
        sources |= {model: sources.get(model, {}) | files for model, files in read.items()}
    if assembly.detector is not None:
        for model, files in detector_sources(assembly.detector, assembly.detector_engine).items():
            sources[model] = {**sources.get(model, {}), **files}
    return sources


def _check_profile(assembly: Assembly) -> None:
    if assembly.profile == DEFAULT_PROFILE:
        return
    if not any(assembly.models.glob(f"*/configs/{assembly.profile}.pbtxt")):
        raise MissingPart(
            f"no model has configs/{assembly.profile}.pbtxt: give a profile that a model has, or"
            f" {DEFAULT_PROFILE!r} for each model's config.pbtxt"
        )


def _check_precision(assembly: Assembly, metadata: Metadata) -> None:
    if metadata.precision is not Precision.BF16 or _tower_engine(assembly) == OPENVINO_BF16:
        return
    if not _has_gpu(assembly.profile):
        openvino = assembly.profile == EMBEDDED_PROFILE
        raise MissingPart(
            f"{assembly.export} is a bf16 export, which onnxruntime runs only on GPUs: export the"
            " checkpoint with --precision fp32 for this machine,"
            f"{f' use --tower-engine {OPENVINO_BF16},' if openvino else ''} or serve it on a GPU"
        )


def _check_tower_engine(assembly: Assembly) -> None:
    if "tower_engine" in assembly.parameters and assembly.profile != EMBEDDED_PROFILE:
        raise StartupError(
            f"tower_engine is for profile {EMBEDDED_PROFILE!r}: in {assembly.profile!r} a"
            " backend of Triton runs the tower"
        )
    check_tower_runtime(_tower_engine(assembly))


def _tower_engine(assembly: Assembly) -> str:
    if assembly.profile != EMBEDDED_PROFILE:  # a backend of Triton runs the tower
        return ONNXRUNTIME
    return assembly.parameters.get("tower_engine", ONNXRUNTIME)


def _has_gpu(profile: str) -> bool:
    if profile == EMBEDDED_PROFILE:
        # Imported here: it takes as long as all other imports of this module.
        import onnxruntime

        return CUDA_PROVIDER in onnxruntime.get_available_providers()
    return profile != "cpu"


def _apply(config: Any, metadata: Metadata, assembly: Assembly) -> None:
    add_findings(config)
    if config.name == SHOT_MODEL:
        complete_shots(config)
    elif config.name == DETECTOR_MODEL and assembly.detector is not None:
        complete_detector(config, assembly.detector)
    elif config.name not in TEXT_MODELS:
        _set_sizes(config, metadata)
    set_facts(
        config,
        metadata,
        runtime=ENGINE if assembly.engine else _tower_engine(assembly),
        has_shots=assembly.shots is not None,
        has_text_models=assembly.text_models is not None,
        has_gpu=_has_gpu(assembly.profile),
    )
    for name, value in assembly.parameters.items():
        if name in config.parameters:
            config.parameters[name].string_value = value
    set_sequence_slots(config, assembly.parameters)
    instances = assembly.instances.get(config.name)
    if config.name == WHOLE_VIDEO_MODEL:
        distribute_videos(config, instances)
    elif instances is not None:
        config.instance_group[0].count = instances


def _set_sizes(config: Any, metadata: Metadata) -> None:
    if config.name in OF_ANY_SIZE:
        return
    for tensor in [*config.input, *config.output]:
        if tensor.name == "FRAMES":  # [..., S, S, RGB]
            tensor.dims[-3:-1] = [metadata.image_size_px] * 2
        elif tensor.name in EMBEDDING_TENSORS:  # [..., D]
            tensor.dims[-1] = metadata.embedding_dim
    complete_config(config, metadata)
