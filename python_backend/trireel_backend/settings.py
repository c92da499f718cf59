# SPDX-License-Identifier: Apache-2.0
"""What an operator may set: the `parameters` of a model's config.pbtxt, read once."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from trireel_backend.errors import StartupError
from trireel_backend.extraction import limits as extraction_limits
from trireel_backend.extraction.task import ExtractorOptions
from trireel_backend.media import MediaFolders
from trireel_backend.paths import native_path
from trireel_backend.places import PlaceLimits
from trireel_backend.sources.addresses import parse_networks
from trireel_backend.sources.limits import (
    MAX_SPOOL_BYTES,
    MAX_VIDEO_BYTES,
    REUSE_SECONDS,
    SCHEMES,
    TIMEOUT_SECONDS,
    SourceLimits,
)
from trireel_backend.tower_engines import ONNXRUNTIME

Settings = TypeVar("Settings")
DECODE_ON = ("cpu", "auto")
BOOLEANS = {"true": True, "false": False}


@dataclass(frozen=True)
class FolderSettings:
    """Where videos come from."""

    media_root: str
    """Folder of the videos that requests name by path."""
    spool: str
    """Folder of uploads and of videos that are fetched; models of one server share it."""
    source_schemes: str = ",".join(SCHEMES)
    """Where videos may come from, separated by commas; `file` stands for paths too."""
    source_max_bytes: int = MAX_VIDEO_BYTES
    """Of one video that is fetched or uploaded."""
    source_timeout_seconds: float = TIMEOUT_SECONDS
    """For one fetch, with all its attempts."""
    spool_max_bytes: int = MAX_SPOOL_BYTES
    """Of all files in the spool; the least recently used go first."""
    spool_reuse_seconds: float = REUSE_SECONDS
    """How long a fetched video is used again without asking its source if it changed."""
    allowed_networks: str = ""
    """Networks (CIDR, separated by commas) that http(s) may reach though they are not public."""
    s3_buckets: str = ""
    """Buckets that requests may name, separated by commas; empty for all the credentials open."""

    def folders(self) -> MediaFolders:
        """Return the folders, checked; raises StartupError where one is missing."""
        media_root, spool = native_path(self.media_root), native_path(self.spool)
        for text, path in ((self.media_root, media_root), (self.spool, spool)):
            if not path.is_dir():
                raise StartupError(f"{text} is not a folder: create it, or set another")
        return MediaFolders(media_root, spool, self.limits())

    def limits(self) -> SourceLimits:
        """Return what may be fetched, checked; raises StartupError."""
        schemes = _items(self.source_schemes)
        if not schemes <= set(SCHEMES):
            raise StartupError(
                f"source_schemes is {self.source_schemes!r}: give some of {', '.join(SCHEMES)}"
            )
        if not 0 < self.source_max_bytes <= self.spool_max_bytes:
            raise StartupError(
                f"source_max_bytes is {self.source_max_bytes}: give 1 to spool_max_bytes, which is"
                f" {self.spool_max_bytes}"
            )
        if not 0 < self.source_timeout_seconds < math.inf or not self.spool_reuse_seconds >= 0:
            raise StartupError(
                f"source_timeout_seconds is {self.source_timeout_seconds:g} and spool_reuse_seconds"
                f" {self.spool_reuse_seconds:g}: give seconds, the first more than 0"
            )
        return SourceLimits(
            schemes=schemes,
            max_bytes=self.source_max_bytes,
            timeout_seconds=self.source_timeout_seconds,
            spool_max_bytes=self.spool_max_bytes,
            spool_reuse_seconds=self.spool_reuse_seconds,
            allowed_networks=parse_networks(self.allowed_networks),
            s3_buckets=_items(self.s3_buckets),
        )


@dataclass(frozen=True)
class SamplingSettings:
    """How a video is cut and sampled where a request does not say."""

    chunk_seconds: float
    frames_per_chunk: int
    max_frames_per_chunk: int
    """Bounds the size of a chunk; the tower must take as many in one batch."""


@dataclass(frozen=True)
class ExtractorSettings:
    """Where an extractor decodes, what it keeps, and what a video may cost it."""

    open_videos_bytes: int = extraction_limits.OPEN_VIDEOS_BYTES
    """Memory for videos kept open, so that their next chunk goes on where the last one ended."""
    decode_on: str = "cpu"
    """`cpu`, or `auto` for NVDEC where there is one that takes the codec."""
    extract_timeout_seconds: float = extraction_limits.TIMEOUT_SECONDS
    """For a look, and for each chunk of a request, up to four."""
    max_frame_pixels: int = extraction_limits.MAX_FRAME_PIXELS
    """Of one frame."""
    max_video_pixels: int = extraction_limits.MAX_VIDEO_PIXELS
    """Width x height x frames of a video, by what it states."""
    decoder_memory_bytes: int = extraction_limits.MEMORY_BYTES
    """That an instance's decoding process may take."""

    def options(self) -> ExtractorOptions:
        """Return what the extractor works with, checked; raises StartupError."""
        if self.decode_on not in DECODE_ON:
            raise StartupError(
                f"decode_on is {self.decode_on!r}: give one of {', '.join(DECODE_ON)}"
            )
        limits = extraction_limits.ExtractionLimits(
            max_frame_pixels=self.max_frame_pixels,
            max_video_pixels=self.max_video_pixels,
            timeout_seconds=self.extract_timeout_seconds,
            memory_bytes=self.decoder_memory_bytes,
        )
        if not min(dataclasses.astuple(limits)) > 0:
            raise StartupError(f"got {limits}: every limit has to be more than 0")
        return ExtractorOptions(self.open_videos_bytes, self.decode_on == "auto", limits)


@dataclass(frozen=True)
class TowerSettings:
    """How an ONNX tower is run."""

    threads: int
    """CPU threads, 0 for one a CPU."""
    providers: str
    """onnxruntime execution providers, best first, separated by commas."""
    tower_engine: str = ONNXRUNTIME
    """What computes it: one of TOWER_ENGINES."""
    rows_at_once: int = 16
    """Most rows computed at once on a CPU, by all threads, or four a thread where that is more; the
    rest of a batch comes after them. On a GPU there is no bound."""

    def checked_rows_at_once(self) -> int:
        """Return the most rows at once; raises StartupError where that is none."""
        return _some("rows_at_once", self.rows_at_once)


@dataclass(frozen=True)
class SequenceSettings:
    """How many videos a decoder keeps a state of."""

    max_sequences: int = 256
    """Open in one instance at once; a further one is refused at its START, unless it is a whole
    video's: those are bounded where the videos are."""

    def checked_limit(self) -> int:
        """Return how many sequences clients may have open; raises StartupError."""
        return _some("max_sequences", self.max_sequences)


@dataclass(frozen=True)
class OrchestratorSettings:
    """How much the orchestrator keeps under way."""

    spans_in_flight: int
    """Spans of one video's chunks in the encoder at once."""
    videos_in_flight: int = 1
    """Whole videos under way in one instance at once."""
    admission: str = ""
    """Folder by which the launcher waits for videos under way before it stops; empty for none."""
    max_waiting_videos: int = 0
    """That wait for their turn in one instance; what comes beyond them is refused at once."""
    max_waiting_upload_bytes: int = 2**29
    """Of all uploads that wait for their turn in one instance: they lie in shared memory."""
    trace_steps: bool = False
    """For the steps of a whole video in its trace: an instance then has one at a time."""

    def checked_spans(self) -> int:
        """Return how many spans of a video go side by side; raises StartupError."""
        return _some("spans_in_flight", self.spans_in_flight)

    def checked_limits(self) -> PlaceLimits:
        """Return how many videos the model takes in; raises StartupError."""
        limits = PlaceLimits(
            under_way=self.videos_in_flight,
            waiting=self.max_waiting_videos,
            waiting_bytes=self.max_waiting_upload_bytes,
        )
        if limits.under_way < 1 or min(limits.waiting, limits.waiting_bytes) < 0:
            raise StartupError(f"got {limits}: give under_way 1 or more, and the others 0 or more")
        return limits


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
    # JSON has no field for an empty string.
    return {name: value.get("string_value", "") for name, value in parameters.items()}


def sequence_idle_seconds(model_config_json: str) -> float:
    """Return how long Triton keeps an idle sequence of this model open."""
    batching = json.loads(model_config_json)["sequence_batching"]
    return int(batching["max_sequence_idle_microseconds"]) / 1e6


def _converted(field: "dataclasses.Field[Any]", value: str) -> Any:
    try:
        if field.type is bool:
            return _boolean(value)
        return field.type(value)  # type: ignore[operator]  # int, float or str: see above
    except ValueError as error:
        raise StartupError(f"parameter {field.name} is {value!r}: {error}") from error


def _some(name: str, number: int) -> int:
    if number < 1:
        raise StartupError(f"{name} is {number}: give 1 or more")
    return number


def _boolean(value: str) -> bool:
    if value not in BOOLEANS:
        raise ValueError(f"give {' or '.join(BOOLEANS)}")
    return BOOLEANS[value]


def _items(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())
