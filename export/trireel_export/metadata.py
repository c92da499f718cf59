# SPDX-License-Identifier: Apache-2.0
"""`metadata.json`: what a server must know of a checkpoint beside its graphs."""

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from trireel_export.errors import BadSetting

FORMAT_VERSION = 1  # a server refuses other versions
LEAST_OPSET, MOST_OPSET = 18, 23
DEFAULT_SCENE_THRESHOLD = 0.15
DEFAULT_SCENE_ALPHA = 0.1
EXPORTERS = ("torch", "transformers", "tokenizers", "onnx", "onnxscript", "onnxruntime")


@dataclass(frozen=True)
class Normalisation:
    """How a checkpoint wants pixels: `(pixel * rescale_factor - mean) / std`, inside the graph."""

    rescale_factor: float
    mean: tuple[float, float, float]
    """Of the rescaled R, G and B."""
    std: tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """The contents of `metadata.json`."""

    checkpoint: str
    """Hub name, or folder it was exported from."""
    weights_sha256: str
    """Hash of all weights; the text bank and the canary carry the same."""
    image_size_px: int
    """Pictures are squashed to a square of this side."""
    resample: str
    """Filter the checkpoint's processor squashes with, as PIL names it: "bicubic", ..."""
    embedding_dim: int
    text_length: int
    """Tokens that every text is padded and cut to."""
    logit_scale: float
    """Already exponentiated: probability = sigmoid(logit_scale * cosine + logit_bias)."""
    logit_bias: float
    scene_threshold: float
    """A cut is where `1 - cosine` to the running average reaches this."""
    scene_alpha: float
    """Weight of the newest frame in the running average."""
    opset: int
    normalisation: Normalisation
    versions: dict[str, str]
    """Of the packages that made the export."""
    precision: str
    """Of the vision tower's matrix products: fp32, fp16 or bf16. The text tower is fp32."""
    format_version: int = FORMAT_VERSION

    def __post_init__(self) -> None:
        if not LEAST_OPSET <= self.opset <= MOST_OPSET:
            raise BadSetting(f"opset is {self.opset}: take one of {LEAST_OPSET} to {MOST_OPSET}")
        if not 0 < self.scene_threshold <= 2:
            raise BadSetting(
                f"scene threshold is {self.scene_threshold}: scores, 1 - cosine, lie between 0"
                " and 2; 0 would make every frame a cut"
            )
        if not 0 < self.scene_alpha <= 1:
            raise BadSetting(
                f"scene alpha is {self.scene_alpha}: the newest frame's weight lies above 0 and"
                " reaches 1 at most"
            )


def installed_versions() -> dict[str, str]:
    """Return the versions of the packages that shape an export."""
    return {name: version(name) for name in EXPORTERS}


def write_metadata(metadata: Metadata, path: Path) -> None:
    """Write the metadata as JSON that people can read."""
    path.write_text(json.dumps(asdict(metadata), indent=2) + "\n", encoding="utf-8")
