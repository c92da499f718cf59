# SPDX-License-Identifier: Apache-2.0
"""Finding `scenes`: where scenes end, and which scenes there are.

SCENES chooses how a transition is found: `sampled` by the embeddings of the sampled frames alone,
`refined` by the frames around changes of the picture, `exact` by every frame and TransNetV2.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ModelCall, ServerModels, ViewSpec
from trireel_backend.findings.scene_options import SceneOptions, read_scene_options
from trireel_backend.findings.scene_outputs import event_tensors, scene_tensors, signal_tensors
from trireel_backend.plan import Selection
from trireel_backend.scenes.model_windows import (
    Windows,
    due_windows,
    judged_to_seconds,
    with_scores,
)
from trireel_backend.scenes.running_average import SceneScan, scan_scenes
from trireel_backend.scenes.signals import HEIGHT_PX, WIDTH_PX
from trireel_backend.scenes.spans import (
    CurrentScene,
    SampledFrames,
    Scene,
    close,
    first_scene,
    split_at,
)
from trireel_backend.scenes.track import LONG_AGO, LOOKAHEAD_SECONDS, Track, decide, empty_track
from trireel_backend.scenes.transitions import Transition, cut
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import texts
from trireel_schema.scenes import EXACT, REFINED, SAMPLED
from trireel_schema.shots import SHOT_MODEL

MOST_FRAMES = {REFINED: 2048, EXACT: 4096}
"""Frames of a chunk in the second view."""
WINDOWS_AT_ONCE = 8
"""Windows in one call: so few that those of other videos share a batch."""


@dataclass(frozen=True)
class ChunkMark:
    """A chunk to which a transition may still be assigned."""

    index: int
    """Position of the chunk in the video."""
    timestamps_seconds: NDArray[np.float64]
    """[f] PTS of its sampled frames."""


@dataclass(frozen=True)
class ScenesState:
    """State of a video between its chunks."""

    mode: str = ""
    """SAMPLED, REFINED or EXACT; empty before the first chunk."""
    average: NDArray[np.float32] | None = None
    """[D] running average of the scene's embeddings, None before the first frame."""
    track: Track | None = None
    """Small frames that still matter, None in mode SAMPLED."""
    scene: CurrentScene | None = None
    """The scene that has not ended, None before the first chunk."""
    undecided: SampledFrames | None = None
    """Sampled frames that are not settled, and one before them; None before the first chunk."""
    last_seconds: float = LONG_AGO
    """PTS of the last transition."""
    marks: tuple[ChunkMark, ...] = ()
    """The chunk before, and those with frames that are not settled."""
    chunks: int = 0
    """Number of chunks so far."""


class Scenes:
    """Finds transitions, and the scenes between them."""

    name: ClassVar[str] = "scenes"

    def __init__(self, knowledge: Knowledge) -> None:
        self._knowledge = knowledge

    @staticmethod
    def options(request: Request) -> SceneOptions:
        """Read the inputs; raises InvalidInput."""
        return read_scene_options(request)

    @staticmethod
    def view(options: SceneOptions, _: ServerModels) -> ViewSpec | None:
        """Return the view of small frames that the mode needs."""
        if options.mode == SAMPLED:
            return None
        mode = options.mode or REFINED
        return ViewSpec(
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            max_frames=MOST_FRAMES[mode],
            selection=Selection.EVERY if mode == EXACT else Selection.CHANGES,
        )

    def start(self) -> ScenesState:
        """Return the state before the first frame."""
        return ScenesState()

    @staticmethod
    def may_call(options: SceneOptions) -> bool:
        """Return whether a step needs TransNetV2."""
        return options.mode == EXACT

    def calls(
        self, state: ScenesState, chunk: ChunkFrames, options: SceneOptions
    ) -> Sequence[ModelCall]:
        """Return the calls of TransNetV2 that a chunk needs; raises InvalidInput."""
        if self._mode(state, chunk, options) != EXACT or self.name in chunk.answers:
            return ()
        if not self._knowledge.has_shot_model:
            raise InvalidInput(
                f"SCENES is {EXACT}, which needs the model {SHOT_MODEL}, and this server has none:"
                f" request {REFINED}, or run scripts/setup on the server's machine"
            )
        _, windows = self._due(state, chunk)
        parts = range(0, len(windows.indices), WINDOWS_AT_ONCE)
        return [
            ModelCall(
                SHOT_MODEL,
                {"FRAMES": windows.pixels[begin : begin + WINDOWS_AT_ONCE]},
                ("SINGLE", "MANY"),
            )
            for begin in parts
        ]

    def step(
        self, state: ScenesState, chunk: ChunkFrames, options: SceneOptions
    ) -> tuple[ScenesState, dict[str, NDArray[Any]]]:
        """Find the transitions that are now certain, and the scenes that they end."""
        mode = self._mode(state, chunk, options)
        scan = self._scan(state, chunk, options)
        if mode == SAMPLED:
            track, found, whole = None, _cuts_of_scan(scan, chunk), None
            decided_seconds = float("inf")
        else:
            track, found, whole = self._track(state, chunk, mode)
            decided_seconds = float("inf") if chunk.is_last else track.decided_seconds
        events = _apart(found, state.last_seconds, options.min_seconds)
        mark = ChunkMark(state.chunks, chunk.timestamps_seconds.copy())
        marks = (*state.marks, mark)
        settled_seconds = _settled_seconds(events, decided_seconds)
        scene, undecided, ended = _scenes(state, chunk, events, settled_seconds)
        after = ScenesState(
            mode=mode,
            average=scan.average,
            track=track,
            scene=scene,
            undecided=undecided,
            last_seconds=events[-1].seconds if events else state.last_seconds,
            marks=_needed(marks, settled_seconds),
            chunks=state.chunks + 1,
        )
        return after, {
            "SCENE_MODE": texts([mode]),
            "SCENE_TRACE": scan.scores,
            **signal_tensors(whole if options.with_trace else None, decided_seconds),
            **event_tensors(events, [(m.index, m.timestamps_seconds) for m in marks]),
            **scene_tensors(ended, self._knowledge, options),
        }

    def _mode(self, state: ScenesState, chunk: ChunkFrames, options: SceneOptions) -> str:
        has_view = self.name in chunk.views
        mode = options.mode or (REFINED if has_view else SAMPLED)
        if mode != SAMPLED and not has_view:
            raise InvalidInput(
                f"SCENES is {mode}, which needs frames of its own: request it from video_chunk,"
                " video_analysis or video_analysis_stream, which decode the video"
            )
        if state.mode not in ("", mode):
            raise InvalidInput(
                f"SCENES is {mode} after {state.mode}: send the same with every chunk of a video"
            )
        return mode

    def _scan(self, state: ScenesState, chunk: ChunkFrames, options: SceneOptions) -> SceneScan:
        knowledge = self._knowledge
        threshold, alpha = options.threshold, options.alpha
        return scan_scenes(
            chunk.embeddings,
            state.average,
            threshold=knowledge.scene_threshold if threshold is None else threshold,
            alpha=knowledge.scene_alpha if alpha is None else alpha,
        )

    def _due(self, state: ScenesState, chunk: ChunkFrames) -> tuple[Track, Windows]:
        """Return the track with the chunk's frames, and the windows for TransNetV2."""
        track = _extended(state, chunk)
        every_window = self._knowledge.judges_every_window
        return track, due_windows(track, is_last=chunk.is_last, every_window=every_window)

    def _track(
        self, state: ScenesState, chunk: ChunkFrames, mode: str
    ) -> tuple[Track, list[Transition], Track]:
        """Return the track after a chunk, its transitions, and the track with all its frames."""
        if mode == REFINED:
            track, judged_seconds = _extended(state, chunk), None
        else:
            track, windows = self._due(state, chunk)
            answers = chunk.answers.get(self.name, ())
            single, many = (
                np.concatenate([np.zeros((0, 100), np.float32), *(a[name] for a in answers)])
                for name in ("SINGLE", "MANY")
            )
            track = with_scores(track, windows, single, many)
            judged_seconds = judged_to_seconds(track)
        after, found = decide(track, is_last=chunk.is_last, judged_to_seconds=judged_seconds)
        return after, found, track


def _extended(state: ScenesState, chunk: ChunkFrames) -> Track:
    frames = chunk.views[Scenes.name]
    height_px, width_px = frames.pixels.shape[1:3]
    if (width_px, height_px) != (WIDTH_PX, HEIGHT_PX):
        raise InvalidInput(
            f"VIEW_SIZES_PX of {Scenes.name} are {width_px} x {height_px}: send frames of"
            f" {WIDTH_PX} x {HEIGHT_PX}, as frame_extractor returns them"
        )
    return (state.track or empty_track()).extended(frames.pixels, frames.timestamps_seconds)


def _cuts_of_scan(scan: SceneScan, chunk: ChunkFrames) -> list[Transition]:
    reason = "an embedding far from the running average"
    return [
        cut(float(chunk.timestamps_seconds[index]), float(scan.scores[index]), reason)
        for index in scan.cuts
    ]


def _apart(
    found: Sequence[Transition], last_seconds: float, min_seconds: float
) -> list[Transition]:
    """Return the transitions that come after the last one, and end no scene too early."""
    kept = []
    for transition in found:
        if transition.seconds > last_seconds and transition.seconds - last_seconds >= min_seconds:
            kept.append(transition)
            last_seconds = transition.seconds
    return kept


def _settled_seconds(events: Sequence[Transition], decided_seconds: float) -> float:
    """Return the PTS up to which it is certain to which scene a frame belongs.

    A transition that is not decided yet may have begun before the last decision.
    """
    last_seconds = events[-1].seconds if events else LONG_AGO
    return max(last_seconds, decided_seconds - LOOKAHEAD_SECONDS)


def _scenes(
    state: ScenesState, chunk: ChunkFrames, events: Sequence[Transition], settled_seconds: float
) -> tuple[CurrentScene, SampledFrames, list[Scene]]:
    """Return the scene that continues, the unsettled frames, and the scenes that have ended."""
    frames = SampledFrames(chunk.timestamps_seconds, chunk.embeddings)
    if state.scene is None or state.undecided is None:
        scene = first_scene(chunk.begin_seconds, frames.embeddings.shape[1])
        nearest = frames.part(0, 1)
    else:
        scene, nearest = state.scene, state.undecided.part(0, 1)
        frames = state.undecided.part(1, len(state.undecided)).then(frames)
    end = int(np.searchsorted(frames.seconds, settled_seconds, side="right"))
    scene, ended = split_at(scene, frames.part(0, end), events, nearest)
    if end:
        nearest = frames.part(end - 1, end)
    if chunk.is_last:
        ended.append(close(scene, chunk.end_seconds, nearest))
    return scene, nearest.then(frames.part(end, len(frames))), ended


def _needed(marks: Sequence[ChunkMark], settled_seconds: float) -> tuple[ChunkMark, ...]:
    """Return the last chunk, and those with frames that are not settled."""
    kept = [mark for mark in marks[:-1] if mark.timestamps_seconds[-1] > settled_seconds]
    return (*kept, marks[-1])
