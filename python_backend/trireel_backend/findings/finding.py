# SPDX-License-Identifier: Apache-2.0
"""The interface of a finding."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.wire.request import Request
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD
from trireel_schema.texts import TextBank
from trireel_schema.vectors import Calibration


@dataclass(frozen=True)
class ViewSpec:
    """Frames that a finding wants beside those of the tower; both come from one decoding pass."""

    fps: float
    """Frames of each second."""
    max_frames: int
    """Largest number of frames of one chunk; a longer chunk has that many, evenly spread."""
    size_px: int
    """Width and height of a frame, which is squashed to the square."""


@dataclass(frozen=True)
class Knowledge:
    """What an export tells every finding."""

    bank: TextBank
    """Tags and descriptions of the export."""
    calibration: Calibration
    """Turns a cosine into the checkpoint's own probability."""
    scene_threshold: float = DEFAULT_SCENE_THRESHOLD
    """Smallest scene score of a cut, if a request does not set it."""
    scene_alpha: float = DEFAULT_SCENE_ALPHA
    """Weight of the newest frame in the running average, if a request does not set it."""


class Finding(Protocol):
    """One kind of answer about a video.

    Its inputs and outputs are those that `trireel_schema.catalogue` states under its name. Outputs
    that begin with CHUNK_ or SCENE_ are of one chunk; the others are of the video so far.
    """

    name: ClassVar[str]
    view: ClassVar[ViewSpec | None]

    def __init__(self, knowledge: Knowledge) -> None: ...

    @staticmethod
    def options(request: Request) -> Any:
        """Read the inputs of a request; raises InvalidInput."""

    def start(self) -> Any:
        """Return the state before a video's first chunk."""

    def step(
        self, state: Any, chunk: ChunkFrames, options: Any
    ) -> tuple[Any, Mapping[str, NDArray[Any]]]:
        """Return the state behind a chunk, and the outputs; the state given is not changed.

        Raises:
            InvalidInput: if the chunk or the options do not fit the export.
        """
