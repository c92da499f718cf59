# SPDX-License-Identifier: Apache-2.0
"""The interface of a finding."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from numpy.typing import NDArray

from trireel_backend.artifacts import load_detector
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.plan import Selection
from trireel_backend.text_models.files import CHARACTERS_FILE, load_characters
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors
from trireel_schema.description import DESCRIBER_FILE, DescriberFacts
from trireel_schema.detector import DETECTOR_FILE, DetectorMetadata
from trireel_schema.scenes import DEFAULT_SCENE_ALPHA, DEFAULT_SCENE_THRESHOLD
from trireel_schema.texts import TextBank
from trireel_schema.vectors import Calibration


@dataclass(frozen=True)
class ViewSpec:
    """Frames that a finding needs beside those of the tower; both come from one decoding pass."""

    width_px: int
    """Width of a frame in pixels."""
    height_px: int
    """Height of a frame in pixels."""
    max_frames: int
    """Most frames of a chunk. By rate, a longer chunk gets this many, evenly spread."""
    fps: float = 0.0
    """Number of frames per second of video, if they are selected by rate."""
    selection: Selection = Selection.RATE
    """Rule that selects the frames."""
    keeps_aspect: bool = False
    """True for the picture in the frame's top left corner, as large as fits, and black bars;
    False to squash it to the frame."""
    fps_input: str = ""
    """Input by which requests choose `fps`: a chunk with more than `max_frames` is then rejected,
    unless it is longer than the request's chunks."""


@dataclass(frozen=True)
class ServerModels:
    """Facts about other models of the server that findings need."""

    detector: DetectorMetadata | None = None
    """Metadata of `object_detector`, None if the server has none."""
    characters: tuple[str, ...] | None = None
    """Character of each code of `text_recognizer`, None if the server does not read text."""
    describer: DescriberFacts | None = None
    """What the backends of `describe` can do, None if the server has no backends."""

    @classmethod
    def of_folder(cls, folder: Path) -> "ServerModels":
        """Read the files that the launcher puts into a model's version folder, if there are any.

        Raises:
            MissingPart: if a file is damaged.
        """
        path, has_text = folder / DETECTOR_FILE, (folder / CHARACTERS_FILE).exists()
        describer = folder / DESCRIBER_FILE
        return cls(
            load_detector(path) if path.exists() else None,
            tuple(load_characters(folder)) if has_text else None,
            DescriberFacts.read(describer) if describer.exists() else None,
        )


@dataclass(frozen=True)
class Knowledge:
    """Data of an export that every finding gets."""

    bank: TextBank
    """Tags and descriptions of the export."""
    calibration: Calibration
    """Turns a cosine into the checkpoint's own probability."""
    scene_threshold: float = DEFAULT_SCENE_THRESHOLD
    """Smallest scene score of a cut, if a request does not set it."""
    scene_alpha: float = DEFAULT_SCENE_ALPHA
    """Weight of the newest frame in the running average, if a request does not set it."""
    has_shot_model: bool = False
    """True if the server has the model `shot_boundary`."""
    judges_every_window: bool = False
    """True to give TransNetV2 every window of frames, not only those around changes."""
    models: ServerModels = field(default_factory=ServerModels)
    """Facts about other models of the server."""


@dataclass(frozen=True)
class ModelCall:
    """A request to another model of the server, for one chunk."""

    model: str
    """Name of the model."""
    inputs: Tensors
    """Inputs by name, in memory of their own: that of the chunk is freed before the call."""
    outputs: tuple[str, ...]
    """Names of the outputs that the finding needs."""
    is_decoupled: bool = False
    """True for a model that answers in several responses."""
    otherwise: Tensors | None = None
    """Outputs to use if the model is unavailable, None to fail then."""


Calls = Mapping[str, Sequence[ModelCall]]
"""Calls of other models that findings need, by the name of the finding."""


class Finding(Protocol):
    """One kind of answer about a video.

    `trireel_schema.catalogue` lists its inputs and outputs under its name. Outputs that begin with
    CHUNK_ or SCENE_ describe one chunk; the others describe the video so far.
    """

    name: ClassVar[str]

    def __init__(self, knowledge: Knowledge) -> None: ...

    @staticmethod
    def options(request: Request) -> Any:
        """Read the inputs of a request; raises InvalidInput."""

    @staticmethod
    def view(options: Any, models: ServerModels) -> ViewSpec | None:
        """Return the second view that these options need, None if the tower's frames suffice.

        Raises:
            InvalidInput: if the server lacks a model for these options.
        """

    def start(self) -> Any:
        """Return the state before a video's first chunk."""

    @staticmethod
    def may_call(options: Any) -> bool:
        """Return whether a step with these options may need other models."""

    def calls(self, state: Any, chunk: ChunkFrames, options: Any) -> Sequence[ModelCall]:
        """Return the calls of other models that the next step needs.

        The step gets their answers with its chunk. Calls of different videos are in flight at once.
        With the answers in the chunk, it is called again, for calls that need these answers; their
        answers come behind the others. It returns no calls if it needs no more.

        Raises:
            InvalidInput: if the server cannot make what the options request.
        """

    def step(
        self, state: Any, chunk: ChunkFrames, options: Any
    ) -> tuple[Any, Mapping[str, NDArray[Any]]]:
        """Return the state after a chunk, and the outputs; the argument `state` does not change.

        Raises:
            InvalidInput: if the chunk or the options do not fit the export.
        """


class CallsNoModel:
    """The part of a finding that needs no other model."""

    @staticmethod
    def may_call(_: Any) -> bool:
        """Return that a step needs no other model."""
        return False

    def calls(self, _state: Any, _chunk: ChunkFrames, _options: Any) -> Sequence[ModelCall]:
        """Return no calls."""
        return ()
