# SPDX-License-Identifier: Apache-2.0
"""What an operator may set: the `parameters` of a model's config.pbtxt, read once."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from trireel_backend.errors import InvalidInput, StartupError
from trireel_backend.media import MediaFolders
from trireel_backend.plan import MAX_CHUNK_SECONDS, MIN_CHUNK_SECONDS

Settings = TypeVar("Settings")


@dataclass(frozen=True)
class FolderSettings:
    """Where videos come from."""

    media_root: str
    """Folder of the videos that requests name by path."""
    spool: str
    """Folder for uploads under way."""

    def folders(self) -> MediaFolders:
        """Return the folders, checked; raises StartupError where one is missing."""
        for path in (Path(self.media_root), Path(self.spool)):
            if not path.is_dir():
                raise StartupError(f"{path} is not a folder: create it, or set another")
        return MediaFolders(Path(self.media_root), Path(self.spool))


@dataclass(frozen=True)
class SamplingSettings:
    """How a video is cut and sampled where a request does not say."""

    chunk_seconds: float
    frames_per_chunk: int
    max_frames_per_chunk: int
    """Bounds the size of a chunk; the tower must take as many in one batch."""

    def checked_chunk_seconds(self, requested: float | None) -> float:
        """Return the chunk length to use; raises InvalidInput."""
        seconds = self.chunk_seconds if requested is None else requested
        if not MIN_CHUNK_SECONDS <= seconds <= MAX_CHUNK_SECONDS:  # also true for NaN
            raise InvalidInput(
                f"CHUNK_SECONDS is {seconds:g}: give {MIN_CHUNK_SECONDS:g} to"
                f" {MAX_CHUNK_SECONDS:g} seconds"
            )
        return seconds

    def checked_frames_per_chunk(self, requested: int | None, *, least: int = 1) -> int:
        """Return the number of frames to sample; raises InvalidInput."""
        frames = self.frames_per_chunk if requested is None else requested
        if not least <= frames <= self.max_frames_per_chunk:
            raise InvalidInput(
                f"FRAMES_PER_CHUNK is {frames}: give {least} to {self.max_frames_per_chunk}"
            )
        return frames


@dataclass(frozen=True)
class ExtractorSettings:
    """What an extractor keeps between requests."""

    open_videos: int
    """Videos kept open, so that the next chunk goes on where the last one ended."""


@dataclass(frozen=True)
class TowerSettings:
    """How an ONNX tower is run."""

    threads: int
    """CPU threads of one run, 0 for one a core."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""


@dataclass(frozen=True)
class OrchestratorSettings:
    """How many chunks and videos the orchestrator keeps under way."""

    chunks_in_flight: int
    """Of one video, in the encoder at once."""
    videos_in_flight: int = 1
    """In one instance at once; the unary model has one an instance."""


def read_settings(settings: type[Settings], parameters: Mapping[str, str]) -> Settings:
    """Read the fields of a settings dataclass from parameters of the same names.

    Raises:
        StartupError: one is missing without a default, or is not of its type.
    """
    values = {
        field.name: _converted(field, parameters[field.name])
        for field in dataclasses.fields(settings)  # type: ignore[arg-type]
        if field.name in parameters
    }
    try:
        return settings(**values)
    except TypeError as error:
        raise StartupError(f"config.pbtxt lacks a parameter: {error}") from error


def model_parameters(model_config_json: str) -> dict[str, str]:
    """Return the parameters of the model config that Triton hands to `initialize`."""
    parameters = json.loads(model_config_json).get("parameters", {})
    return {name: value["string_value"] for name, value in parameters.items()}


def sequence_idle_seconds(model_config_json: str) -> float:
    """Return how long Triton keeps an idle sequence of this model open."""
    batching = json.loads(model_config_json)["sequence_batching"]
    return int(batching["max_sequence_idle_microseconds"]) / 1e6


def _converted(field: "dataclasses.Field[Any]", value: str) -> Any:
    try:
        return field.type(value)  # type: ignore[operator]  # int, float or str: see above
    except ValueError as error:
        raise StartupError(f"parameter {field.name} is {value!r}: {error}") from error
