# SPDX-License-Identifier: Apache-2.0
"""Small facts of an export, made up: known pictures, texts, metadata."""

import numpy as np

from trireel_schema.detector import DetectorMetadata, Fit
from trireel_schema.metadata import Metadata, Normalisation
from trireel_schema.pictures import KnownPictures
from trireel_schema.precision import Precision
from trireel_schema.texts import TextSet
from trireel_schema.vectors import unit

COUNT, WIDTH = 12, 16


def known_pictures() -> KnownPictures:
    """Return twelve pictures with random embeddings, the same at each call."""
    rng = np.random.default_rng(4)
    names = tuple(f"picture {number}" for number in range(COUNT))
    frames = np.zeros((COUNT, 2, 2, 3), np.uint8)
    return KnownPictures(names, frames, unit(rng.normal(size=(COUNT, WIDTH))))


def known_texts() -> TextSet:
    """Return twenty texts with random embeddings, the same at each call."""
    rng = np.random.default_rng(5)
    return TextSet(tuple(f"text {n}" for n in range(20)), unit(rng.normal(size=(20, WIDTH))))


def turned(known: KnownPictures, index: int) -> np.ndarray:
    """Return the embeddings with one picture's turned away from its own."""
    embeddings = known.embeddings.copy()
    embeddings[index] = unit(embeddings[index] + 0.1 * np.eye(WIDTH, dtype=np.float32)[0])
    return embeddings


def metadata_of(**changes: object) -> Metadata:
    """Return metadata of an export with weights 00ff, with some fields changed."""
    fields: dict[str, object] = {
        "checkpoint": "any",
        "precision": Precision.FP32,
        "weights_sha256": "00ff",
        "image_size_px": 4,
        "resample": "bicubic",
        "embedding_dim": 8,
        "text_length": 16,
        "logit_scale": 10.0,
        "logit_bias": -2.0,
        "scene_threshold": 0.3,
        "scene_alpha": 0.1,
        "opset": 20,
        "normalisation": Normalisation(1 / 255, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
        "versions": {"onnx": "1.0"},
    }
    return Metadata(**(fields | changes))


def detector_metadata_of(**changes: object) -> DetectorMetadata:
    """Return metadata of a detector with weights 00ff and two classes, with some fields changed."""
    fields: dict[str, object] = {
        "checkpoint": "any",
        "architecture": "DFineForObjectDetection",
        "weights_sha256": "00ff",
        "labels": ("person", "car"),
        "width_px": 64,
        "height_px": 32,
        "fit": Fit.SQUASH,
        "num_boxes": 3,
        "threshold": 0.5,
        "opset": 17,
        "precision": Precision.FP32,
        "versions": {"onnx": "1.0"},
    }
    return DetectorMetadata(**(fields | changes))
