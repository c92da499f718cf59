# SPDX-License-Identifier: Apache-2.0
"""Finding `text`: the captions on screen, to the sampled frame.

The model `caption_extents` finds them to the exact frame, and smaller ones: it sees each frame of a
region in its own size.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.assembly import Clock, Pending, assemble
from trireel_backend.captions.lines import ClosedLine, OpenLine, end_with_video
from trireel_backend.captions.merging import ReadText
from trireel_backend.captions.pair_change import ChangeState, after_sample
from trireel_backend.captions.stretch import Moment, Stretch
from trireel_backend.captions.strokes import luma
from trireel_backend.captions.tracking import Tracked, found_text, track
from trireel_backend.errors import InvalidInput
from trireel_backend.findings.chunk import ChunkFrames
from trireel_backend.findings.finding import Knowledge, ModelCall, ServerModels, ViewSpec
from trireel_backend.reading.boxes import joined_lines, text_boxes
from trireel_backend.reading.codes import ReadLine, read_codes
from trireel_backend.reading.lines import LinePictures, detector_frames, grouped_lines, line_picture
from trireel_backend.wire.request import Request
from trireel_backend.wire.tensors import Tensors, texts
from trireel_backend.wire.views import Region
from trireel_schema.captions import DEFAULT_TEXT_FPS, MAX_TEXT_FPS

WIDTH_PX, HEIGHT_PX = 960, 544  # multiples of 32, which the detector takes as they are
MOST_FRAMES = 30
"""Most frames of a chunk: 45 MiB."""
LINES_AT_ONCE = 8
"""Most lines in one call, so that those of other videos share a batch."""
NO_PTS = -1
"""Stands for a PTS in units of the time base, which the finding does not know."""


@dataclass(frozen=True)
class TextOptions:
    """Inputs of a request, the same for every chunk of a video."""

    fps: float = DEFAULT_TEXT_FPS
    """Frames per second in which captions are looked for."""

    def __post_init__(self) -> None:
        if not 0 < self.fps <= MAX_TEXT_FPS:  # also true for NaN
            raise InvalidInput(
                f"TEXT_FPS is {self.fps:g}: give more than 0 and up to {MAX_TEXT_FPS:g}"
            )


@dataclass(frozen=True)
class TextState:
    """State of a video between its chunks."""

    start_seconds: float | None = None
    """PTS of the video's first frame, None before the first chunk."""
    on_screen: tuple[OpenLine, ...] = ()
    """Lines that are on screen."""
    pending: Pending = field(default_factory=Pending)
    """Lines that were read and are not certain yet."""
    captions: tuple[ReadText, ...] = ()
    """Captions so far; the boxes are in pixels of the view."""


@dataclass(frozen=True)
class _Followed:
    """The lines of a chunk."""

    on_screen: tuple[OpenLine, ...]
    closed: tuple[ClosedLine, ...]


class Text:
    """Reads the captions in the frames of a second view."""

    name: ClassVar[str] = "text"

    def __init__(self, knowledge: Knowledge) -> None:
        self._characters = knowledge.models.characters

    @staticmethod
    def options(request: Request) -> TextOptions:
        """Read the inputs; raises InvalidInput."""
        fps = request.number("TEXT_FPS", float)
        return TextOptions() if fps is None else TextOptions(fps)

    @staticmethod
    def view(options: TextOptions, _: ServerModels) -> ViewSpec | None:
        """Return the view of frames that the detector takes."""
        return ViewSpec(
            width_px=WIDTH_PX,
            height_px=HEIGHT_PX,
            max_frames=MOST_FRAMES,
            fps=options.fps,
            keeps_aspect=True,
            fps_input="TEXT_FPS",
        )

    def start(self) -> TextState:
        """Return the state before the first frame."""
        return TextState()

    @staticmethod
    def may_call(_: TextOptions) -> bool:
        """Return that a step needs the models that read text."""
        return True

    def calls(
        self, state: TextState, chunk: ChunkFrames, options: TextOptions
    ) -> Sequence[ModelCall]:
        """Return the calls of the detector, then those of the recognizer; raises InvalidInput."""
        frames = self._frames(chunk)
        looks = _looks(frames)
        answers = chunk.answers.get(self.name, ())
        if not answers:
            return [
                ModelCall(
                    "text_detector",
                    {"FRAMES": detector_frames(frames.frames[index][None])},
                    ("TEXT_MAP",),
                )
                for index in looks
            ]
        if len(answers) > len(looks):
            return ()
        closed = _follow(state, chunk, frames, looks, answers).closed
        return [
            ModelCall("text_recognizer", {"LINES": group.pictures}, ("CODES", "CODE_SCORES"))
            for group in _groups(closed)
        ]

    def step(
        self, state: TextState, chunk: ChunkFrames, options: TextOptions
    ) -> tuple[TextState, Mapping[str, NDArray[Any]]]:
        """Report the captions of the video so far; raises InvalidInput."""
        frames = self._frames(chunk)
        looks, answers = _looks(frames), chunk.answers.get(self.name, ())
        followed = _follow(state, chunk, frames, looks, answers[: len(looks)])
        lines = self._read(followed.closed, answers[len(looks) :])
        start = frames.moments[0].seconds if state.start_seconds is None else state.start_seconds
        clock = Clock(start, frames.moments[-1].seconds, 1 / options.fps, chunk.is_last)
        pending, new = assemble(state.pending, lines, followed.on_screen, clock)
        captions = sorted((*state.captions, *new), key=lambda line: line.first.seconds)
        after = TextState(start, followed.on_screen, pending, tuple(captions))
        return after, caption_tensors(after.captions, chunk.views[self.name].region)

    def _frames(self, chunk: ChunkFrames) -> Stretch:
        if self._characters is None:
            raise InvalidInput(
                "FIND names text, and this server does not read text: ask its operator to run"
                " scripts/setup, which fetches the models"
            )
        view = chunk.views.get(self.name)
        if view is None or len(view.pixels) == 0:
            raise InvalidInput(
                "FIND names text, which needs frames of its own: request it from video_chunk,"
                " video_analysis or video_analysis_stream, which decode the video"
            )
        seconds = view.timestamps_seconds
        shown = np.flatnonzero(np.concatenate([[True], np.diff(seconds) > 0])).tolist()
        moments = [Moment(float(seconds[index]), NO_PTS) for index in shown]
        return Stretch([view.pixels[index] for index in shown], moments, range(len(shown)))

    def _read(self, lines: Sequence[ClosedLine], answers: Sequence[Tensors]) -> list[ReadText]:
        read: dict[int, ReadLine] = {}
        for group, answer in zip(_groups(lines), answers, strict=True):
            texts_read = read_codes(answer["CODES"], answer["CODE_SCORES"], self._characters or ())
            read |= dict(zip(group.indices, texts_read, strict=True))
        return [
            ReadText(
                *read[index],
                line.reference.box,
                line.first,
                line.last,
                line.end,
                line.samples,
                line.reference.sharpness,
            )
            for index, line in enumerate(lines)
        ]


def caption_tensors(captions: Sequence[ReadText], region: Region) -> dict[str, NDArray[Any]]:
    """Return captions as tensors; their boxes become fractions of the picture.

    Args:
        region: part of the picture that a frame of the view shows.
    """
    count = len(captions)
    left, top, width, height = region
    scale = np.array([width / WIDTH_PX, height / HEIGHT_PX] * 2)
    boxes = np.array([caption.box for caption in captions], np.float64).reshape(count, 4)
    spans = [(caption.first.seconds, caption.end.seconds) for caption in captions]
    return {
        "TEXT_TEXTS": texts([caption.text for caption in captions]),
        "TEXT_CONFIDENCES": np.array([caption.confidence for caption in captions], np.float32),
        "TEXT_BOXES": np.clip(boxes * scale + [left, top] * 2, 0, 1).astype(np.float32),
        "TEXT_SPANS": np.array(spans, np.float64).reshape(count, 2),
        "TEXT_LAST_SECONDS": np.array([caption.last.seconds for caption in captions], np.float64),
        "TEXT_PTS": np.full((count, 2), NO_PTS, np.int64),
    }


def _looks(frames: Stretch) -> list[int]:
    """Return the frames in which text is looked for: the chunk's first, and some after changes."""
    state, looks = ChangeState(), []
    for index, picture in enumerate(frames.frames):
        state, is_looked_at = after_sample(state, luma(picture), frames.moments[index].seconds)
        looks += [index] if is_looked_at else []
    if state.is_due:  # the next chunk does not look back
        looks.append(len(frames.frames) - 1)
    return looks


def _follow(
    state: TextState,
    chunk: ChunkFrames,
    frames: Stretch,
    looks: Sequence[int],
    maps: Sequence[Tensors],
) -> _Followed:
    """Follow the lines through a chunk; at the end of the video, all lines end."""
    found = {}
    for index, answer in zip(looks, maps, strict=True):
        boxes = joined_lines(text_boxes(answer["TEXT_MAP"][0]))
        found[index] = found_text(boxes.boxes, boxes.scores, HEIGHT_PX)
    tracked = track(Tracked(state.on_screen), frames, 0, found)
    if not chunk.is_last:
        return _Followed(tracked.open, tracked.closed)
    end = Moment(max(chunk.end_seconds, frames.moments[-1].seconds), NO_PTS)
    ended = [end_with_video(line, frames.moments[-1], end) for line in tracked.open]
    return _Followed((), (*tracked.closed, *ended))


def _groups(lines: Sequence[ClosedLine]) -> list[LinePictures]:
    """Return the pictures of lines, one group for each call of the recognizer."""
    pictures = []
    for line in lines:
        height, width = line.picture.shape[:2]
        whole = np.array([0, 0, width, height], np.int32)
        pictures.append(line_picture(line.picture, whole))
    return [
        LinePictures(group.pictures[part], group.indices[part])
        for group in (grouped_lines(pictures) if pictures else [])
        for at in range(0, len(group.indices), LINES_AT_ONCE)
        for part in [slice(at, at + LINES_AT_ONCE)]
    ]
