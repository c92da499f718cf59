# SPDX-License-Identifier: Apache-2.0
"""The records of single findings. Times are seconds on the video's own clock, its frames' PTS."""

from dataclasses import dataclass

Interval = tuple[float, float]
"""Begin and end in seconds."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom as fractions, 0 to 1, of the upright whole picture."""


@dataclass(frozen=True)
class Tag:
    """A tag and how well it fits."""

    text: str
    """The tag itself."""
    score: float
    """Cosine between the tag's embedding and the picture's, -1 to 1."""
    probability: float
    """Probability that the checkpoint gives for that cosine, 0 to 1."""


@dataclass(frozen=True)
class Caption:
    """A sentence of the server's bank and how well it fits."""

    text: str
    """The sentence."""
    score: float
    """Cosine between the sentence's embedding and the picture's, -1 to 1."""
    probability: float
    """Probability that the checkpoint gives for that cosine, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class ScreenCaption:
    """A caption that is part of the picture: its text, and where and when it is on screen."""

    text: str
    """Text of the caption; its lines are separated by line feeds."""
    confidence: float
    """Mean certainty of its characters, 0 to 1."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom edge of the text as fractions of the upright picture."""
    start_seconds: float
    """PTS of the first frame with the caption."""
    end_seconds: float
    """PTS of the first frame after the caption, or the end of the video."""
    first_frame_seconds: float
    """PTS of the first frame with the caption."""
    last_frame_seconds: float
    """PTS of the last frame with the caption."""
    first_frame_pts: int
    """PTS of the first frame in units of the video's time base: the exact time."""
    last_frame_pts: int
    """PTS of the last frame in units of the video's time base: the exact time."""


@dataclass(frozen=True)
class SceneDescription:
    """A scene, and what a vision-language model says about it."""

    text: str
    """One or two sentences."""
    start_seconds: float
    """PTS at which the scene begins."""
    end_seconds: float
    """PTS at which the scene ends."""


@dataclass(frozen=True, kw_only=True)
class SceneChange:
    """The end of one scene and the begin of the next: a cut, or a gradual transition."""

    timestamp_seconds: float
    """PTS of the first new frame of a cut; PTS of the middle frame of a gradual transition."""
    score: float
    """Certainty of the scene change; in mode `sampled` 1 - cosine to the running average."""
    chunk_index: int
    """Index of the chunk that holds the timestamp, from 0."""
    frame_index: int
    """Index within that chunk of the first sampled frame after the scene change, from 0."""
    kind: str = "cut"
    """`cut`, `dissolve`, `fade` or `wipe`."""
    begin_seconds: float
    """Begin of the transition; equals the timestamp of a cut."""
    end_seconds: float
    """End of the transition; equals the timestamp of a cut."""
    reason: str = ""
    """Short text that says why the server reports the scene change; empty from older servers."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A scene: the stretch of a video from one scene change to the next."""

    start_seconds: float
    """PTS at which the scene begins."""
    end_seconds: float
    """PTS at which the scene ends and the next scene begins."""
    tags: tuple[Tag, ...] = ()
    """Best tags of the scene, best first; empty if tags were not requested."""
    caption: Caption | None = None
    """Best caption of the scene; None if it was not requested."""
    representative_seconds: float
    """PTS of the sampled frame that stands for the scene."""


@dataclass(frozen=True, kw_only=True)
class SceneSignals:
    """The signals, frame by frame, from which the server found the scene changes."""

    timestamps_seconds: tuple[float, ...]
    """PTS of each frame that the server looked at."""
    changes: tuple[float, ...]
    """Change of the picture at each frame, a signal that costs little."""
    transition_scores: tuple[float | None, ...]
    """Score of the shot boundary model for each frame; None if the model did not judge it."""


@dataclass(frozen=True)
class ChunkQuality:
    """The technical quality of a chunk's picture."""

    black_share: float
    """Share of black frames, 0 to 1."""
    frozen_share: float
    """Share of frames that do not differ from the frames before them, 0 to 1."""
    sharpness: float
    """Mean variance of the frames' Laplacian: low if the picture is blurred."""
    luma: float
    """Mean brightness, 0 to 255."""


@dataclass(frozen=True)
class Quality:
    """The stretches of a video in which nothing can be seen, or nothing moves."""

    black_intervals: tuple[Interval, ...]
    """Begin and end of each black stretch in seconds."""
    freeze_intervals: tuple[Interval, ...]
    """Begin and end of each frozen stretch in seconds."""


@dataclass(frozen=True, kw_only=True)
class Detection:
    """An object on one frame."""

    timestamp_seconds: float
    """PTS of the frame."""
    chunk_index: int
    """Index of the chunk that holds the frame, from 0."""
    label: str
    """Name of the object's class, as the detector's checkpoint calls it."""
    score: float
    """Score that the detector gives, 0 to 1."""
    box: Box
    """Place of the object: left, top, right, bottom as fractions of the upright whole picture."""
    track_id: int | None = None
    """Id of the object's track; None in mode `chunked`, and for an object without a track."""


@dataclass(frozen=True, kw_only=True)
class BestView:
    """The frame of a track on which the detector gives its highest score."""

    timestamp_seconds: float
    """PTS of the frame."""
    box: Box
    """Place of the object: left, top, right, bottom as fractions of the upright whole picture."""


@dataclass(frozen=True, kw_only=True)
class Track:
    """One object, followed from frame to frame."""

    track_id: int
    """Id of the track, unique in its video."""
    label: str
    """Name of the object's class, as the detector's checkpoint calls it."""
    start_seconds: float
    """PTS of the first frame with the object."""
    end_seconds: float
    """PTS of the last frame with the object."""
    score: float
    """Highest score of the object's detections, 0 to 1."""
    best: BestView
    """Frame with the highest score."""


@dataclass(frozen=True, kw_only=True)
class TimeSpan:
    """A stretch of a video."""

    start_seconds: float
    """PTS of its first frame."""
    end_seconds: float
    """PTS of its last frame."""


@dataclass(frozen=True, kw_only=True)
class LabelOnScreen:
    """The stretches of a video in which a class of objects is on screen."""

    label: str
    """Name of the class, as the detector's checkpoint calls it."""
    intervals: tuple[TimeSpan, ...]
    """Stretches with at least one such object, in order."""


@dataclass(frozen=True, kw_only=True)
class Objects:
    """The objects of a video: each detection, and the tracks and labels made of them.

    If chunks come one by one, `frame_timestamps_seconds` and `detections` are those of the chunk;
    `tracks` and `labels_on_screen` are those of the video from its start to the chunk's end.
    """

    mode: str
    """`chunked`: each chunk on its own; `combined`: with tracks over the whole video."""
    labels_on_screen: tuple[LabelOnScreen, ...]
    """Stretches in which each label is on screen."""
    tracks: tuple[Track, ...]
    """Tracks, in the order of their ids; empty in mode `chunked`."""
    detections: tuple[Detection, ...]
    """Detections, frame by frame; on one frame the highest score first."""
    frame_timestamps_seconds: tuple[float, ...]
    """PTS of each frame that the detector looked at, also of frames without objects."""
