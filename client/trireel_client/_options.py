# SPDX-License-Identifier: Apache-2.0
"""The options of an analysis, and the input tensors that carry them."""

import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from trireel_client._errors import InvalidRequest
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
    labels: Sequence[str] | None
    """Classes of objects to return; by default all that the detector knows."""
    objects_threshold: float | None
    """Lowest score of a detection, 0 to 1; by default that of the detector's checkpoint."""


class AnalysisOptions(StepOptions, total=False):
    """Options of the analysis of a whole video."""

    with_embeddings: bool
    """True to return the embeddings of chunks and frames."""


@dataclass(frozen=True)
class _Kind:
    """The tensor of an option."""

    dtype: type[np.generic]
    size: int = 1
    tensor: str = ""
    """Name of the tensor, if it is not the option's name in capitals."""


_PLANNING = {"chunk_seconds": _Kind(np.float64), "stream_index": _Kind(np.int32)}
_SAMPLING = {
    "frames_per_chunk": _Kind(np.int32),
    "sample_fps": _Kind(np.float64),
    "keyframes_only": _Kind(np.bool_),
    "crop": _Kind(np.float64, 4),
    "crop_px": _Kind(np.int32, 4),
}
_DECODING = {
    "top_k": _Kind(np.int32),
    "scene_threshold": _Kind(np.float32),
    "scene_alpha": _Kind(np.float32),
    "min_scene_seconds": _Kind(np.float64, tensor="SCENE_MIN_SECONDS"),
    "with_scene_trace": _Kind(np.bool_, tensor="SCENE_WITH_TRACE"),
    "objects_fps": _Kind(np.float64),
    "objects_threshold": _Kind(np.float32),
}
_MODES = {"scenes": "SCENES", "objects_mode": "OBJECTS"}
"""Tensors of the options with one name of several."""
_LISTS = {"find": "FIND", "labels": "OBJECTS_LABELS"}
"""Tensors of the options with any number of names."""
_WHOLE_VIDEO = {"with_embeddings": _Kind(np.bool_)}

_CONVERT: Mapping[type[np.generic], Callable[[Any], float]] = {
    np.bool_: bool,
    np.int32: operator.index,
    np.float32: float,
    np.float64: float,
}
_EITHER_OR = (("frames_per_chunk", "sample_fps"), ("crop", "crop_px"))


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
    # A type checker rejects unknown keywords; Python itself lets them pass here.
    for name in options.keys() - set(known):
        raise TypeError(f"there is no option {name!r}: there are {', '.join(sorted(known))}")
    chosen = {name: value for name, value in options.items() if value is not None}
    for one, other in _EITHER_OR:
        if one in chosen and other in chosen:
            raise InvalidRequest(f"got both of {one} and {other}: give one of them")
    names = {
        **{name: checked_texts(name, chosen[name]) for name in _LISTS if name in chosen},
        **{name: checked_texts(name, [chosen[name]]) for name in _MODES if name in chosen},
    }
    return Inputs(
        planning=_tensors(chosen, _PLANNING),
        chunk={
            **_tensors(chosen, {**_SAMPLING, **_DECODING}),
            **{{**_LISTS, **_MODES}[name]: texts(values) for name, values in names.items()},
        },
        whole_video=_tensors(chosen, _WHOLE_VIDEO),
        free_texts={
            tensor: checked_texts(name, chosen[name])
            for tensor in FREE_TEXTS
            if (name := tensor.lower()) in chosen
        },
        findings=names.get("find", DEFAULT_FINDINGS),
    )


def _tensors(chosen: Mapping[str, Any], kinds: Mapping[str, _Kind]) -> Tensors:
    tensors = {
        kind.tensor or name.upper(): _tensor(name, chosen[name], kind)
        for name, kind in kinds.items()
        if name in chosen
    }
    # A flag that is not set is not sent: the server then uses its default.
    return {name: array for name, array in tensors.items() if array.dtype != bool or array.any()}


def _tensor(name: str, value: Any, kind: _Kind) -> NDArray[Any]:
    if kind.size == 1:
        return np.array([_converted(name, value, kind.dtype)], kind.dtype)
    if isinstance(value, str) or not _has_length(value, kind.size):
        raise InvalidRequest(f"{name} is {value!r}: give four numbers: left, top, width, height")
    return np.array([_converted(name, number, kind.dtype) for number in value], kind.dtype)


def _has_length(value: Any, length: int) -> bool:
    try:
        return len(value) == length
    except TypeError:  # a number has no length
        return False


def _converted(name: str, value: Any, dtype: type[np.generic]) -> float:
    try:
        converted = _CONVERT[dtype](value)
        if np.issubdtype(dtype, np.integer) and not -(2**31) <= converted < 2**31:
            raise OverflowError  # NumPy 1 would keep the lower bits and go on
    except (TypeError, ValueError, OverflowError) as error:
        kind = np.dtype(dtype).name
        raise InvalidRequest(f"{name} is {value!r}: give a number that fits {kind}") from error
    return converted
