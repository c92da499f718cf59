# SPDX-License-Identifier: Apache-2.0
"""The settings of a detector's image processor.

They are read from its file. Its class is not loaded: some of them need torchvision, which nothing
else here does.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers.image_processing_base import ImageProcessingMixin

from trireel_export.errors import CheckpointNotLoaded, UnsupportedCheckpoint
from trireel_schema.metadata import Normalisation

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
"""Mean and deviation of the rescaled pixels, unless the file names others."""


@dataclass(frozen=True)
class Preparation:
    """What happens to a picture before the model."""

    width_px: int
    """Width that pictures are squashed to."""
    height_px: int
    """Height that pictures are squashed to."""
    normalisation: Normalisation
    """Scaling of the pixels."""

    def pixels(self, frames: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return frames [N, H, W, 3] as the model takes them: [N, 3, H, W]."""
        mean, std = (
            np.array(values, np.float64)
            for values in (self.normalisation.mean, self.normalisation.std)
        )
        scaled = (frames * self.normalisation.rescale_factor - mean) / std
        return np.ascontiguousarray(scaled.transpose(0, 3, 1, 2), np.float32)


def load_preparation(source: str, *, normalises: bool) -> Preparation:
    """Read the image processor's settings from a Hugging Face folder or hub name.

    Args:
        normalises: True if pixels are normalised unless the file says otherwise.

    Raises:
        CheckpointNotLoaded: if the file is missing or is not understood.
        UnsupportedCheckpoint: if the processor does not squash to one size.
    """
    try:
        settings, _ = ImageProcessingMixin.get_image_processor_dict(source)
        return _preparation(source, settings, normalises)
    except (OSError, KeyError, TypeError, ValueError) as error:
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise CheckpointNotLoaded(
            f"{source}: its image processor's settings do not load from preprocessor_config.json:"
            f" {first_line}"
        ) from error


def _preparation(source: str, settings: dict[str, Any], normalises: bool) -> Preparation:
    size = settings.get("size", {})
    if not settings.get("do_resize", True) or set(size) != {"height", "width"}:
        raise UnsupportedCheckpoint(
            f"{source}: its processor must squash pictures to one height and width, but its size"
            f" is {size or 'not set'}: set size in preprocessor_config.json as in training"
        )
    mean, std = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)
    if settings.get("do_normalize", normalises):
        mean = _colour(settings.get("image_mean", IMAGENET_MEAN))
        std = _colour(settings.get("image_std", IMAGENET_STD))
    factor = settings.get("rescale_factor", 1 / 255) if settings.get("do_rescale", True) else 1.0
    return Preparation(
        int(size["width"]), int(size["height"]), Normalisation(float(factor), mean, std)
    )


def _colour(values: Any) -> tuple[float, float, float]:
    red, green, blue = (float(value) for value in values)
    return red, green, blue
