# SPDX-License-Identifier: Apache-2.0
"""`metadata.json`: what a server must know about a checkpoint, beside its graphs."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trireel_schema.errors import InvalidValue
from trireel_schema.json_files import read_json, write_json
from trireel_schema.json_values import read_number, read_text, read_whole, to_number
from trireel_schema.precision import Precision
from trireel_schema.prompts import BARE, check_prompt
from trireel_schema.scenes import check_scene_settings
from trireel_schema.vectors import Calibration

FORMAT_VERSION = 1
"""Version that is written, and the only one that is read."""


@dataclass(frozen=True)
class Normalisation:
    """Scaling of pixels before the tower: `(pixel * rescale_factor - mean) / std`."""

    rescale_factor: float
    """Factor of the 8-bit pixel values."""
    mean: tuple[float, float, float]
    """Mean of the rescaled R, G and B."""
    std: tuple[float, float, float]
    """Standard deviation of the rescaled R, G and B."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The contents of `metadata.json`."""

    checkpoint: str
    """Hub name or folder name of the exported checkpoint."""
    weights_sha256: str
    """Hash of all weights; the text bank, the canary and the known pictures carry the same."""
    image_size_px: int
    """Side of the square that pictures are squashed to."""
    resample: str
    """Filter that the checkpoint's processor resizes with, as PIL names it: "bicubic", ..."""
    embedding_dim: int
    """Length of an embedding."""
    text_length: int
    """Tokens that every text is padded or cut to."""
    logit_scale: float
    """Already exponentiated: probability = sigmoid(logit_scale * cosine + logit_bias)."""
    logit_bias: float
    """Number added to the scaled cosine."""
    scene_threshold: float
    """Smallest scene score, `1 - cosine` to the running average, that is a cut."""
    scene_alpha: float
    """Weight of the newest frame in the running average."""
    opset: int
    """ONNX opset of the graphs."""
    normalisation: Normalisation
    """Scaling of pixels, which is part of the vision graph."""
    versions: dict[str, str]
    """Versions of the packages that made the export, by name."""
    precision: Precision
    """Number format of the vision tower's matrix products."""
    note: str = ""
    """A sentence that people should read beside the answers of this checkpoint; may be empty."""
    tag_prompt: str = BARE
    """Sentence that every tag stands in when it is embedded, with {} for the tag."""
    format_version: int = FORMAT_VERSION
    """Version of this file's format."""

    def __post_init__(self) -> None:
        """Check the numbers; raises InvalidValue if one is out of range."""
        for name in ("image_size_px", "embedding_dim", "text_length"):
            if getattr(self, name) < 1:
                raise InvalidValue(f"{name} is {getattr(self, name)}: give a number, 1 or more")
        check_scene_settings(self.scene_threshold, self.scene_alpha)
        check_prompt(self.tag_prompt)

    @property
    def calibration(self) -> Calibration:
        """Return what turns a cosine into a probability."""
        return Calibration(self.logit_scale, self.logit_bias)


def write_metadata(metadata: Metadata, path: Path) -> None:
    """Write the metadata as JSON that people can read."""
    write_json(asdict(metadata), path)


def read_metadata(path: Path) -> Metadata:
    """Read `metadata.json`.

    Raises:
        FileMissing: if there is no such file.
        FormatMismatch: if its format version is not FORMAT_VERSION.
        FileDamaged: if it is not JSON, or a value is missing, of another type or out of range.
    """
    return read_json(path, FORMAT_VERSION, _metadata)


def _metadata(raw: Mapping[str, Any]) -> Metadata:
    scaling = raw["normalisation"]
    return Metadata(
        checkpoint=read_text(raw, "checkpoint"),
        weights_sha256=read_text(raw, "weights_sha256"),
        image_size_px=read_whole(raw, "image_size_px"),
        resample=read_text(raw, "resample"),
        embedding_dim=read_whole(raw, "embedding_dim"),
        text_length=read_whole(raw, "text_length"),
        logit_scale=read_number(raw, "logit_scale"),
        logit_bias=read_number(raw, "logit_bias"),
        scene_threshold=read_number(raw, "scene_threshold"),
        scene_alpha=read_number(raw, "scene_alpha"),
        opset=read_whole(raw, "opset"),
        normalisation=Normalisation(
            read_number(scaling, "rescale_factor"),
            _colour(scaling, "mean"),
            _colour(scaling, "std"),
        ),
        versions=dict(raw["versions"]),
        precision=Precision(raw["precision"]),
        note=read_text(raw, "note") if "note" in raw else "",
        tag_prompt=read_text(raw, "tag_prompt") if "tag_prompt" in raw else BARE,
    )


def _colour(raw: Mapping[str, Any], name: str) -> tuple[float, float, float]:
    red, green, blue = (to_number(value, name) for value in raw[name])
    return red, green, blue
