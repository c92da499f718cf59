# SPDX-License-Identifier: Apache-2.0
"""The options of an analysis, and the input tensors that carry them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import InvalidRequest
from trireel_client._option_tensors import Kind, chosen_options, tensors_of
from trireel_schema.catalogue import DEFAULT_FINDINGS, FREE_TEXTS

Tensors = Mapping[str, NDArray[Any]]
ObjectsMode = Literal["chunked", "combined"]
"""Objects of each chunk on its own, or with tracks over the whole video."""
SceneMode = Literal["sampled", "refined", "exact"]
"""Frames by which scenes are found: sampled frames, those around proposals, or all frames."""


class StepOptions(TypedDict, total=False):
    """Options of a video's analysis; the server chooses those that are missing or None."""

    find: Sequence[str] | None
    """Names of the findings to make; by default tags, caption and scenes."""
    tags: Sequence[str] | None
    """Texts to score instead of the server's tags."""
    descriptions: Sequence[str] | None
    """Sentences to choose captions from instead of the server's descriptions."""
    chunk_seconds: float | None
    """Length of a chunk in seconds."""
    frames_per_chunk: int | None
    """Number of frames to sample from each chunk."""
    sample_fps: float | None
    """Number of frames to sample from each second, instead of `frames_per_chunk`."""
    keyframes_only: bool
    """Decode keyframes only, which is fast: each frame is the keyframe before it, taken once."""
    crop: Sequence[float] | None
    """Region to analyse: left, top, width, height as fractions of the upright picture."""
    crop_px: Sequence[int] | None
    """Region to analyse in pixels, instead of `crop`: left, top, width, height."""
    stream_index: int | None
    """Index in the file of the video stream to analyse."""
    text_fps: float | None
    """Number of frames in each second to read captions from, for the finding `text`."""
    top_k: int | None
    """Number of tags to return."""
    scenes: SceneMode | None
    """Way to find scenes; by default `refined`."""
    min_scene_seconds: float | None
    """Length in seconds of the shortest scene."""
    with_scene_trace: bool
    """True to return the signals of single frames from which scenes are found."""
    scene_threshold: float | None
    """Scene score from which on a frame begins a new scene."""
    scene_alpha: float | None
    """Weight of the newest frame in the running average."""
    objects_mode: ObjectsMode | None
    """Way to find objects; by default `combined`."""
    objects_fps: float | None
    """Number of frames to look for objects on in each second; by default 2."""
    description_frames: int | None
    """Number of frames that stand for a scene in its description, 1 to 4; by default 2."""
    description_prompt: str | None
    """Request to the model that describes scenes; by default "Describe the scene."."""
    labels: Sequence[str] | None
    """Classes of objects to return; by default all that the detector knows."""
    objects_threshold: float | None
    """Lowest score of a detection, 0 to 1; by default that of the detector's checkpoint."""


class AnalysisOptions(StepOptions, total=False):
    """Options of the analysis of a whole video."""

    with_embeddings: bool
    """True to return the embeddings of chunks and frames."""


_PLANNING = {"chunk_seconds": Kind(np.float64), "stream_index": Kind(np.int32)}
_SAMPLING = {
    "frames_per_chunk": Kind(np.int32),
    "sample_fps": Kind(np.float64),
    "keyframes_only": Kind(np.bool_),
    "crop": Kind(np.float64, 4),
    "crop_px": Kind(np.int32, 4),
}
_DECODING = {
    "top_k": Kind(np.int32),
    "text_fps": Kind(np.float64),
    "scene_threshold": Kind(np.float32),
    "scene_alpha": Kind(np.float32),
    "min_scene_seconds": Kind(np.float64, tensor="SCENE_MIN_SECONDS"),
    "with_scene_trace": Kind(np.bool_, tensor="SCENE_WITH_TRACE"),
    "objects_fps": Kind(np.float64),
    "description_frames": Kind(np.int32),
    "objects_threshold": Kind(np.float32),
}
_MODES = {
    "scenes": "SCENES",
    "objects_mode": "OBJECTS",
    "description_prompt": "DESCRIPTION_PROMPT",
}
"""Tensors of the options with a single text."""
_LISTS = {"find": "FIND", "labels": "OBJECTS_LABELS"}
"""Tensors of the options with any number of names."""
_EITHER_OR = (("frames_per_chunk", "sample_fps"), ("crop", "crop_px"))
_WHOLE_VIDEO = {"with_embeddings": Kind(np.bool_)}


@dataclass(frozen=True)
class Inputs:
    """The options of an analysis as input tensors, without those that the server chooses."""

    planning: Tensors
    """Tensors that decide the plan of chunks."""
    chunk: Tensors
    """Tensors that decide how a chunk is sampled and judged, without free texts."""
    whole_video: Tensors
    """Tensors that only an analysis of the whole video accepts."""
    free_texts: Mapping[str, tuple[str, ...]]
    """Texts that stand in for the server's, by the names of their tensors: TAGS, DESCRIPTIONS."""
    findings: tuple[str, ...]
    """Names of the findings that the answers hold."""

    def everything(self) -> Tensors:
        """Return the inputs of a whole video's request."""
        free = {name: texts(values) for name, values in self.free_texts.items()}
        return {**self.planning, **self.chunk, **self.whole_video, **free}


def step_inputs(options: StepOptions) -> Inputs:
    """Return the inputs of an analysis chunk by chunk; raises the errors of `analysis_inputs`."""
    return _inputs(options, StepOptions.__optional_keys__)


def analysis_inputs(options: AnalysisOptions) -> Inputs:
    """Return the inputs of a whole video's analysis.

    Raises:
        TypeError: there is no such option.
        InvalidRequest: a value is not of its kind, or one option contradicts another.
    """
    return _inputs(options, AnalysisOptions.__optional_keys__)


def texts(values: Sequence[str | bytes], name: str = "text") -> NDArray[np.object_]:
    """Return a BYTES tensor [len(values)]; raises the errors of `utf8`."""
    array = np.empty(len(values), np.object_)
    array[:] = [utf8(name, value) if isinstance(value, str) else value for value in values]
    return array


def utf8(name: str, text: str) -> bytes:
    """Return a text as UTF-8; raises InvalidRequest for a file's name that is not text."""
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise InvalidRequest(f"{name} {text!r} is not UTF-8: give one that is") from error


def checked_texts(name: str, values: Sequence[str]) -> tuple[str, ...]:
    """Return texts as a tuple; raises InvalidRequest if there are none, or one is not a text."""
    if isinstance(values, str):
        raise InvalidRequest(f"{name} is one string: give a list of strings")
    checked = tuple(values)
    if not checked:
        raise InvalidRequest(f"{name} is empty: give at least one text")
    for value in checked:
        if not isinstance(value, str) or not value.strip():
            raise InvalidRequest(f"{name} holds {value!r}: give texts that are not blank")
        utf8(name, value)
    return checked


def _inputs(options: Mapping[str, Any], known: Collection[str]) -> Inputs:
    chosen = chosen_options(options, known, _EITHER_OR)
    names = {
        **{name: checked_texts(name, chosen[name]) for name in _LISTS if name in chosen},
        **{name: checked_texts(name, [chosen[name]]) for name in _MODES if name in chosen},
    }
    return Inputs(
        planning=tensors_of(chosen, _PLANNING),
        chunk={
            **tensors_of(chosen, {**_SAMPLING, **_DECODING}),
            **{{**_LISTS, **_MODES}[name]: texts(values) for name, values in names.items()},
        },
        whole_video=tensors_of(chosen, _WHOLE_VIDEO),
        free_texts={
            tensor: checked_texts(name, chosen[name])
            for tensor in FREE_TEXTS
            if (name := tensor.lower()) in chosen
        },
        findings=names.get("find", DEFAULT_FINDINGS),
    )
