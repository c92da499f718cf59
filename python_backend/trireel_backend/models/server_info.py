# SPDX-License-Identifier: Apache-2.0
"""Answers of `server_info`: the checkpoint, its text bank, settings, findings on offer."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.extraction.process.version import ffmpeg_version
from trireel_backend.findings.finding import ServerModels
from trireel_backend.findings.objects import Objects
from trireel_backend.findings.scene_settings import SceneSettings
from trireel_backend.wire.parameters import model_parameters, read_settings
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, scalar, texts
from trireel_schema.catalogue import FINDINGS
from trireel_schema.description import DESCRIPTION
from trireel_schema.files import METADATA_FILE, TEXT_BANK_FILE
from trireel_schema.scenes import EXACT, MODES

PACKAGE = "trireel-backend"
TEXT_FINDING = "text"
"""The finding that needs the models that read text."""


@dataclass(frozen=True)
class InfoSettings:
    """Parameters of the model's config."""

    runtime: str = ""
    """What computes the vision tower; the launcher sets it."""
    text_models: bool = False
    """True if the server has the models that read text; the launcher sets it."""
    chunk_seconds: float = 10.0
    """Length of a chunk in requests without their own."""
    frames_per_chunk: int = 16
    """Frames of a chunk in requests without their own."""


@dataclass(frozen=True)
class ServerFacts:
    """The facts, and the texts of the bank."""

    facts: Tensors
    """Outputs that every answer has."""
    tags: Sequence[str]
    """Tags of the bank."""
    descriptions: Sequence[str]
    """Descriptions of the bank."""

    @classmethod
    def of_model(cls, folder: Path, model_config_json: str) -> "ServerFacts":
        """Read the export in a model's folder, and the model's parameters.

        Raises:
            StartupError: if a file of the export or a parameter is missing or wrong.
        """
        parameters = model_parameters(model_config_json)
        scenes = read_settings(SceneSettings, parameters)
        metadata = load_metadata(folder / METADATA_FILE)
        bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
        bank_sha256 = hashlib.sha256((folder / TEXT_BANK_FILE).read_bytes()).hexdigest()
        info = read_settings(InfoSettings, parameters)
        threshold, alpha = scenes.over(metadata)
        models = ServerModels.of_folder(folder)
        detector = models.detector
        absent = {
            Objects.name: detector is None,
            TEXT_FINDING: not info.text_models,
            DESCRIPTION: models.describer is None or not models.describer.sees,
        }
        offered = [name for name in FINDINGS if not absent.get(name)]
        modes = [mode for mode in MODES if mode != EXACT or scenes.shot_model]
        facts = {
            "CHECKPOINT": texts([metadata.checkpoint]),
            "CHECKPOINT_NOTE": texts([metadata.note]),
            "WEIGHTS_SHA256": texts([metadata.weights_sha256]),
            "IMAGE_SIZE_PX": scalar(metadata.image_size_px, np.int32),
            "EMBEDDING_DIM": scalar(metadata.embedding_dim, np.int32),
            "LOGIT_SCALE": scalar(metadata.logit_scale, np.float64),
            "LOGIT_BIAS": scalar(metadata.logit_bias, np.float64),
            "PRECISION": texts([metadata.precision.value]),
            "RUNTIME": texts([info.runtime]),
            "VERSION": texts([_version()]),
            "FFMPEG_VERSION": texts([ffmpeg_version()]),
            "TAG_PROMPT": texts([metadata.tag_prompt]),
            "TEXT_BANK_SHA256": texts([bank_sha256]),
            "NUM_TAGS": scalar(len(bank.tags.texts), np.int32),
            "NUM_DESCRIPTIONS": scalar(len(bank.descriptions.texts), np.int32),
            "CHUNK_SECONDS": scalar(info.chunk_seconds, np.float64),
            "FRAMES_PER_CHUNK": scalar(info.frames_per_chunk, np.int32),
            "FINDINGS": texts(offered),
            "SCENE_MODES": texts(modes),
            "SCENE_THRESHOLD": scalar(threshold, np.float32),
            "SCENE_ALPHA": scalar(alpha, np.float32),
            "DETECTOR": texts([detector.checkpoint if detector else ""]),
            "DETECTOR_NOTE": texts([detector.note if detector else ""]),
            "DETECTOR_LABELS": texts(detector.labels if detector else ()),
            "DETECTOR_THRESHOLD": scalar(detector.threshold if detector else 0.0, np.float32),
        }
        return cls(facts, bank.tags.texts, bank.descriptions.texts)

    def answer(self, request: Request) -> Tensors:
        """Return the facts, and the texts of the bank if WITH_TEXTS is set; raises InvalidInput."""
        with_texts = request.number("WITH_TEXTS", bool)
        return {
            **self.facts,
            "TAGS": texts(self.tags if with_texts else []),
            "DESCRIPTIONS": texts(self.descriptions if with_texts else []),
        }


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:  # the folder is on the path, and not installed
        return ""
