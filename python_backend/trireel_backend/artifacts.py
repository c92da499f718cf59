# SPDX-License-Identifier: Apache-2.0
"""Reading what an export leaves for the server: metadata, text bank, canary."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import MissingPart
from trireel_backend.ranking.scoring import Calibration, TextSet

METADATA_FILE = "metadata.json"
TEXT_BANK_FILE = "text_bank.npz"
CANARY_FILE = "canary.npz"
GATE_FILE = "gate.npz"
VISION_FILE = "vision.onnx"
TEXT_FILE = "text.onnx"
TOKENIZER_FILE = "tokenizer.json"
EXPORT_FILES = (
    METADATA_FILE,
    TEXT_BANK_FILE,
    CANARY_FILE,
    GATE_FILE,
    VISION_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
)
FORMAT_VERSION = 1


@dataclass(frozen=True)
class Metadata:
    """What the server must know of a checkpoint."""

    checkpoint: str
    """Folder name or hub name it was exported from."""
    precision: str
    """Of the vision tower: fp32, fp16 or bf16."""
    weights_sha256: str
    """Hash of the weights: models, bank and canary of one export share it."""
    image_size_px: int
    embedding_dim: int
    text_length: int
    """Tokens every text is padded to."""
    calibration: Calibration
    scene_threshold: float
    scene_alpha: float


@dataclass(frozen=True)
class TextBank:
    """The texts a chunk is compared with unless the request brings its own."""

    tags: TextSet
    descriptions: TextSet


@dataclass(frozen=True)
class Canary:
    """Two pictures and the embeddings the checkpoint itself gives them."""

    frames: NDArray[np.uint8]
    """[2, S, S, 3] RGB, clearly different from each other."""
    embeddings: NDArray[np.float32]
    """[2, D] unit length."""


@dataclass(frozen=True)
class KnownPictures:
    """Pictures and the embeddings the checkpoint itself gives them, in fp32."""

    names: tuple[str, ...]
    frames: NDArray[np.uint8]
    """[N, S, S, 3] RGB, squashed as a server's extractor does it."""
    embeddings: NDArray[np.float32]
    """[N, D] unit length."""


def load_metadata(path: Path) -> Metadata:
    """Read `metadata.json`; raises MissingPart where it is absent or of another format."""
    try:
        return _metadata(path, json.loads(_existing(path).read_bytes()))
    except (KeyError, ValueError) as error:
        raise MissingPart(
            f"{path} is not whole ({error!r}): export the checkpoint again with trireel-export"
        ) from error


def _metadata(path: Path, raw: dict[str, Any]) -> Metadata:
    if raw.get("format_version") != FORMAT_VERSION:
        raise MissingPart(
            f"{path} has format {raw.get('format_version')!r}, this server reads"
            f" {FORMAT_VERSION}: export the checkpoint again with trireel-export"
        )
    return Metadata(
        checkpoint=raw["checkpoint"],
        precision=raw["precision"],
        weights_sha256=raw["weights_sha256"],
        image_size_px=raw["image_size_px"],
        embedding_dim=raw["embedding_dim"],
        text_length=raw["text_length"],
        calibration=Calibration(raw["logit_scale"], raw["logit_bias"]),
        scene_threshold=raw["scene_threshold"],
        scene_alpha=raw["scene_alpha"],
    )


def load_text_bank(path: Path, metadata: Metadata) -> TextBank:
    """Read `text_bank.npz`; raises MissingPart where it belongs to other weights."""
    bank = _load_arrays_of(path, metadata)
    return TextBank(
        tags=TextSet(tuple(bank["tag_texts"].tolist()), bank["tag_embeddings"]),
        descriptions=TextSet(
            tuple(bank["description_texts"].tolist()), bank["description_embeddings"]
        ),
    )


def load_gate(path: Path, metadata: Metadata) -> KnownPictures:
    """Read `gate.npz`; raises MissingPart where it belongs to other weights."""
    known = _load_arrays_of(path, metadata)
    return KnownPictures(tuple(known["names"].tolist()), known["frames"], known["embeddings"])


def load_canary(path: Path) -> Canary:
    """Read `canary.npz`."""
    canary = _load_arrays(path)
    return Canary(canary["frames"], canary["embeddings"])


def _load_arrays_of(path: Path, metadata: Metadata) -> dict[str, NDArray[Any]]:
    arrays = _load_arrays(path)
    if str(arrays["weights_sha256"]) != metadata.weights_sha256:
        raise MissingPart(
            f"{path} was made for weights {arrays['weights_sha256']}, the models here are of"
            f" {metadata.weights_sha256}: take all files from one export"
        )
    return arrays


def _load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    # allow_pickle stays False: a bank is data, and loading it must not run anything.
    with np.load(_existing(path), allow_pickle=False) as arrays:
        return dict(arrays)


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise MissingPart(f"{path} is not there: give the output folder of trireel-export")
    return path
