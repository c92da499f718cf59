# SPDX-License-Identifier: Apache-2.0
"""What a server is."""

from dataclasses import dataclass

from trireel_schema.vectors import Calibration


@dataclass(frozen=True)
class ServerInfo:
    """A server's name and version."""

    name: str
    """Name of the server, such as `triton`."""
    version: str
    """Version of the server, such as `2.51.0`."""
    extensions: tuple[str, ...] = ()
    """Extensions of the protocol that the server supports."""


@dataclass(frozen=True, kw_only=True)
class ServerDetails:
    """What a server analyses videos with, and what it offers."""

    checkpoint: str
    """Name of the checkpoint."""
    checkpoint_note: str
    """Sentence that people should read beside the answers of the checkpoint; may be empty."""
    weights_sha256: str
    """Hash of the checkpoint's weights."""
    image_size_px: int
    """Side of the square that pictures are squashed to."""
    embedding_dim: int
    """Width of the checkpoint's embeddings."""
    precision: str
    """Number format of the vision tower, such as `fp32`."""
    runtime: str
    """What computes the vision tower, such as `onnxruntime`."""
    version: str
    """Version of Trireel on the server; empty if it is not known."""
    tag_prompt: str
    """Sentence that every tag stands in when it is embedded, with {} for the tag."""
    num_tags: int
    """Tags that the server scores if a request brings none."""
    num_descriptions: int
    """Descriptions that the server chooses captions from if a request brings none."""
    findings: tuple[str, ...]
    """Findings that a request may name."""
    scene_modes: tuple[str, ...]
    """Values of `scenes` that a request may have."""
    scene_threshold: float
    """Smallest scene score of a cut in a request without `scene_threshold`."""
    scene_alpha: float
    """Weight of the newest frame in a request without `scene_alpha`."""
    calibration: Calibration | None = None
    """Turns the cosine of a picture and a text into a probability; None from older servers."""
    text_bank_sha256: str = ""
    """Hash of the text bank's file; empty from older servers."""
    ffmpeg_version: str = ""
    """Version of the FFmpeg that decodes videos; empty from older servers."""
    chunk_seconds: float | None = None
    """Length of a chunk in a request without `chunk_seconds`; None from older servers."""
    frames_per_chunk: int | None = None
    """Frames of a chunk in a request without `frames_per_chunk`; None from older servers."""
    detector: str = ""
    """Name of the detector's checkpoint; empty if the server has none, and from older servers."""
    detector_note: str = ""
    """Sentence that people should read beside the objects of the detector; may be empty."""
    detector_labels: tuple[str, ...] = ()
    """Names of the classes that the detector knows."""
    detector_threshold: float = 0.0
    """Lowest score of a detection in a request without `objects_threshold`."""
