# SPDX-License-Identifier: Apache-2.0
"""Loads the checkpoint of a detector; its own detections are the reference of every check."""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    DFineForObjectDetection,
    RfDetrForObjectDetection,
    RTDetrV2ForObjectDetection,
)

from trireel_export.detector.processor import Preparation, load_preparation
from trireel_export.errors import UnsupportedCheckpoint
from trireel_export.loading import (
    accidents_as_sentences,
    display_name,
    require_all_weights,
    weights_hash,
)
from trireel_schema.detections import Detections

FRAMES_AT_ONCE = 4


@dataclass(frozen=True)
class Family:
    """A kind of detector that can be exported."""

    model: Any
    """Its class in transformers."""
    normalises: bool
    """True if its image processor normalises unless its file says otherwise."""
    exports_by_dynamo: bool
    """True if torch's newer exporter writes it with a free batch dimension."""


FAMILIES: dict[str, Family] = {
    "rf_detr": Family(RfDetrForObjectDetection, normalises=True, exports_by_dynamo=True),
    "d_fine": Family(DFineForObjectDetection, normalises=False, exports_by_dynamo=False),
    "rt_detr_v2": Family(RTDetrV2ForObjectDetection, normalises=False, exports_by_dynamo=False),
}
"""Detectors by the model type in their config.json."""


@dataclass(frozen=True)
class DetectorCheckpoint:
    """A detector with the settings of its own image processor."""

    name: str
    family: Family
    model: Any
    """An instance of the family's class, float32, in evaluation mode."""
    preparation: Preparation
    """What happens to a picture before the model."""

    @property
    def architecture(self) -> str:
        """Return the name of the class in transformers."""
        return type(self.model).__name__

    @property
    def classes(self) -> int:
        """Return the number of scores that the model gives each box."""
        return int(self.model.config.num_labels)

    @property
    def candidates(self) -> int:
        """Return the number of pairs of box and class, of which the best are detections."""
        return int(self.model.config.num_queries) * self.classes

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the classes by index; names that repeat get their index."""
        names = [str(self.model.config.id2label[index]) for index in range(self.classes)]
        counts = Counter(names)
        return tuple(
            name if name and counts[name] == 1 else f"{name or 'class'} ({index})"
            for index, name in enumerate(names)
        )

    @cached_property
    def weights_sha256(self) -> str:
        """Return the hash of names, shapes and values of all weights."""
        return weights_hash(self.model)

    def detect(self, frames: NDArray[np.uint8], num_boxes: int) -> Detections:
        """Return what the checkpoint finds in frames [N, H, W, 3] of its own size."""
        parts = [
            self._detect(frames[at : at + FRAMES_AT_ONCE], num_boxes)
            for at in range(0, len(frames), FRAMES_AT_ONCE)
        ]
        boxes, scores, labels = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
        return Detections(boxes, scores, labels)

    def _detect(
        self, frames: NDArray[np.uint8], num_boxes: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32]]:
        with torch.no_grad():
            found = self.model(pixel_values=torch.from_numpy(self.preparation.pixels(frames)))
        logits, middles = found.logits.numpy(), found.pred_boxes.numpy()
        scores = (1 / (1 + np.exp(-logits.astype(np.float64)))).reshape(len(frames), -1)
        best = np.argsort(-scores, axis=1, kind="stable")[:, :num_boxes]
        queries, labels = np.divmod(best, self.classes)
        chosen = np.take_along_axis(middles, queries[..., None], axis=1)
        half = chosen[..., 2:] / 2
        boxes = np.concatenate([chosen[..., :2] - half, chosen[..., :2] + half], axis=-1)
        return (
            boxes.clip(0, 1).astype(np.float32),
            np.take_along_axis(scores, best, axis=1).astype(np.float32),
            labels.astype(np.int32),
        )


def load_detector(source: str) -> DetectorCheckpoint:
    """Load a Hugging Face folder or hub name.

    Raises:
        CheckpointNotLoaded: if it is not there, or weights are missing from it.
        UnsupportedCheckpoint: if it is no detector of FAMILIES, or its processor does not squash.
    """
    with accidents_as_sentences(source):
        config = AutoConfig.from_pretrained(source)
        family = _family(source, config)
        model, loading = family.model.from_pretrained(
            source, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
        )
        preparation = load_preparation(source, normalises=family.normalises)
    require_all_weights(source, loading)
    return DetectorCheckpoint(display_name(source), family, model.eval(), preparation)


def _family(source: str, config: Any) -> Family:
    family = FAMILIES.get(config.model_type)
    if family is None:
        raise UnsupportedCheckpoint(
            f"{source} is of type {config.model_type!r}, which is no detector that can be exported:"
            f" give a checkpoint of type {', '.join(FAMILIES)}"
        )
    wanted = family.model.__name__
    if config.architectures and wanted not in config.architectures:
        raise UnsupportedCheckpoint(
            f"{source} holds a {config.architectures[0]}, which has no boxes: give the checkpoint"
            f" of a {wanted}"
        )
    return family
