# SPDX-License-Identifier: Apache-2.0
"""Finding `objects`: what is where and when, by the model `object_detector`.

OBJECTS chooses how: `chunked` reports the detections of each chunk by itself, `combined` follows
objects over the whole video and gives each of them a track.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ModelCall, ServerModels, ViewSpec
from trireel_backend.findings.object_options import (
    ObjectOptions,
    Wanted,
    read_object_options,
    wanted,
)
from trireel_backend.findings.object_outputs import (
    FrameDetections,
    detection_tensors,
    interval_tensors,
    track_tensors,
)
from trireel_backend.tracking.boxes import distinct
from trireel_backend.tracking.history import History, extended, new_history
from trireel_backend.tracking.on_screen import OnScreen, nothing_on_screen, seen
from trireel_backend.tracking.tracker import (
    NO_TRACK,
    Detections,
    Tracker,
    TrackerSettings,
    advance,
    new_tracker,
)
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, texts
from trireel_backend.wire.views import Region
from trireel_schema.detector import DETECTOR_INPUT, DETECTOR_MODEL, DETECTOR_OUTPUTS, Fit
from trireel_schema.objects import CHUNKED, COMBINED

FRAMES_AT_ONCE = 8
"""Frames in one call: so few that those of other videos share a batch."""
MOST_FRAMES = 256
"""Most frames of a chunk, if they are small."""
MOST_BYTES = 48 * 2**20
"""Most bytes of the frames of a chunk: the frames of other findings fit beside them."""


@dataclass(frozen=True)
class ObjectsState:
    """State of a video between its chunks."""

    mode: str = ""
    """COMBINED or CHUNKED; empty before the first chunk."""
    detector: str = ""
    """Hash of the detector's weights; empty before the first chunk."""
    chunks: int = 0
    """Number of chunks so far."""
    on_screen: OnScreen = field(default_factory=nothing_on_screen)
    """Intervals of each label."""
    tracker: Tracker = field(default_factory=new_tracker)
    """Live tracks, none in mode CHUNKED."""
    history: History = field(default_factory=new_history)
    """All tracks so far, none in mode CHUNKED."""


class Objects:
    """Detects objects in the frames of a second view, and follows them."""

    name: ClassVar[str] = "objects"

    def __init__(self, knowledge: Knowledge) -> None:
        self._detector = knowledge.models.detector

    @staticmethod
    def options(request: Request) -> ObjectOptions:
        """Read the inputs; raises InvalidInput."""
        return read_object_options(request)

    @staticmethod
    def view(options: ObjectOptions, models: ServerModels) -> ViewSpec | None:
        """Return the view of frames as the detector takes them.

        Raises:
            InvalidInput: if the server has no detector, or it does not know a label.
        """
        detector = wanted(options, models.detector).detector
        frame_bytes = detector.width_px * detector.height_px * 3
        return ViewSpec(
            width_px=detector.width_px,
            height_px=detector.height_px,
            max_frames=min(MOST_FRAMES, max(1, MOST_BYTES // frame_bytes)),
            fps=options.fps,
            keeps_aspect=detector.fit is Fit.LETTERBOX,
            fps_input="OBJECTS_FPS",
        )

    def start(self) -> ObjectsState:
        """Return the state before the first frame."""
        return ObjectsState()

    @staticmethod
    def may_call(_: ObjectOptions) -> bool:
        """Return that a step needs the detector."""
        return True

    def calls(
        self, state: ObjectsState, chunk: ChunkFrames, options: ObjectOptions
    ) -> Sequence[ModelCall]:
        """Return the calls of the detector that a chunk needs; raises InvalidInput."""
        if self.name in chunk.answers:
            return ()
        self._check(state, chunk, options)
        shown = _shown(state, chunk, options)
        return [
            ModelCall(
                DETECTOR_MODEL,
                {DETECTOR_INPUT: chunk.views[self.name].pixels[shown[at : at + FRAMES_AT_ONCE]]},
                DETECTOR_OUTPUTS,
            )
            for at in range(0, len(shown), FRAMES_AT_ONCE)
        ]

    def step(
        self, state: ObjectsState, chunk: ChunkFrames, options: ObjectOptions
    ) -> tuple[ObjectsState, dict[str, NDArray[Any]]]:
        """Report the detections of a chunk, and the tracks and intervals of the video so far.

        Raises:
            InvalidInput: if the server has no detector, it does not know a label, the chunk has no
                frames of the view, or the state is of another mode or detector.
        """
        request = self._check(state, chunk, options)
        view = chunk.views[self.name]
        seconds = view.timestamps_seconds[_shown(state, chunk, options)].tolist()
        found = _found(chunk.answers.get(self.name, ()), view.region, request)
        after = replace(
            state,
            mode=options.mode,
            detector=request.detector.weights_sha256,
            chunks=state.chunks + 1,
        )
        frames = []
        for at_seconds, detections in zip(seconds, found, strict=True):
            after, ids = _after(after, detections, at_seconds, request.threshold)
            frames.append(_reported(detections, ids, at_seconds, request.threshold))
        labels = request.detector.labels
        return after, {
            "OBJECT_MODE": texts([options.mode]),
            **detection_tensors(frames, labels, chunk_index=state.chunks),
            **track_tensors(after.history, labels),
            **interval_tensors(after.on_screen, labels),
        }

    def _check(self, state: ObjectsState, chunk: ChunkFrames, options: ObjectOptions) -> Wanted:
        """Return what a request wants; raises InvalidInput if it or its chunk cannot be used."""
        request = wanted(options, self._detector)
        detector, view = request.detector, chunk.views.get(self.name)
        if view is None or len(view.pixels) == 0:
            raise InvalidInput(
                "FIND names objects, which needs frames of its own: request it from video_chunk,"
                " video_analysis or video_analysis_stream, which decode the video"
            )
        if view.pixels.shape[1:] != detector.frame_shape:
            height_px, width_px = view.pixels.shape[1:3]
            raise InvalidInput(
                f"VIEW_SIZES_PX of objects are {width_px} x {height_px}: send frames of"
                f" {detector.width_px} x {detector.height_px}, as frame_extractor returns them"
            )
        if state.mode not in ("", options.mode):
            raise InvalidInput(
                f"OBJECTS is {options.mode} after {state.mode}: send the same with every chunk of"
                " a video"
            )
        if state.detector not in ("", detector.weights_sha256):
            raise InvalidInput(
                "START_STATE is of another detector than this server's: begin the video again, with"
                " START and without START_STATE"
            )
        return request


def _shown(state: ObjectsState, chunk: ChunkFrames, options: ObjectOptions) -> NDArray[np.int_]:
    """Return the positions of the frames to look at, each frame once.

    A frame that stays on screen fills several slots. In mode COMBINED, one that the chunk before
    showed last is left out.
    """
    seconds = chunk.views[Objects.name].timestamps_seconds
    differs = np.concatenate([[True], np.diff(seconds) != 0])
    if options.mode == COMBINED and state.on_screen.seconds is not None:
        differs &= seconds != state.on_screen.seconds
    return np.flatnonzero(differs)


def _found(answers: Sequence[Tensors], region: Region, request: Wanted) -> list[Detections]:
    """Return the detections of each frame: wanted labels, and scores that matter to a track.

    The detector returns the best detections of a frame first.
    """
    left, top, width, height = region
    origin, scale = np.array([left, top] * 2), np.array([width, height] * 2)
    weakest = TrackerSettings.of_threshold(request.threshold).weak_score
    found = []
    for answer in answers:
        boxes, scores, labels = (answer[name] for name in DETECTOR_OUTPUTS)
        in_picture = np.clip(boxes.astype(np.float64) * scale + origin, 0.0, 1.0)
        is_wanted = np.isin(labels, list(request.labels)) & (scores >= weakest)
        is_kept = is_wanted & (in_picture[..., 2:] > in_picture[..., :2]).all(axis=-1)
        for frame, rows in enumerate(is_kept):
            detections = Detections(
                in_picture[frame][rows],
                scores[frame][rows].astype(np.float64),
                labels[frame][rows].astype(np.int32),
            )
            most_overlap = request.detector.most_overlap
            if most_overlap < 1:
                once = distinct(detections.boxes, detections.labels, most_overlap)
                detections = detections.part(once)
            found.append(detections)
    return found


def _after(
    state: ObjectsState, detections: Detections, seconds: float, threshold: float
) -> tuple[ObjectsState, NDArray[np.int64]]:
    """Return the state after a frame, and the track of each detection [d]."""
    is_strong = detections.scores >= threshold
    on_screen = seen(state.on_screen, detections.labels[is_strong], seconds)
    if state.mode == CHUNKED:
        ids = np.full(len(detections.scores), NO_TRACK, np.int64)
        return replace(state, on_screen=on_screen), ids
    settings = TrackerSettings.of_threshold(threshold)
    tracker, ids = advance(state.tracker, detections, seconds, settings)
    has_track = is_strong & (ids != NO_TRACK)
    history = extended(state.history, ids[has_track], detections.part(has_track), seconds)
    return replace(state, on_screen=on_screen, tracker=tracker, history=history), ids


def _reported(
    detections: Detections, ids: NDArray[np.int64], seconds: float, threshold: float
) -> FrameDetections:
    is_strong = detections.scores >= threshold
    return FrameDetections(seconds, detections.part(is_strong), ids[is_strong])
