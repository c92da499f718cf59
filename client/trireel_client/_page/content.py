# SPDX-License-Identifier: Apache-2.0
"""The values that the page of an analysis shows. All positions are percent of the video."""

import base64
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trireel_client._findings import Caption, Interval, Tag
from trireel_client._guesses import worded
from trireel_client._results import Analysis, Thumbnail
from trireel_client._timeline.pictures import jpeg

MOST_LANES = 8
"""Most tags with a lane of their own."""
DEFAULT_FPS = 25.0
"""Frame rate of a video whose rate is unknown, for the distance of half a frame."""


@dataclass(frozen=True)
class Words:
    """A tag or a caption."""

    text: str
    """The text, with a mark if it is a guess."""
    percent: float
    """Probability in percent."""


@dataclass(frozen=True)
class Block:
    """A stretch of a lane."""

    left: float
    """Begin in percent of the video."""
    width: float
    """Length in percent of the video."""
    seconds: float
    """PTS of the begin."""
    strength: float
    """Opacity, 0 to 1."""
    title: str
    """Text that is shown under the mouse."""


@dataclass(frozen=True)
class Lane:
    """A row of the timeline."""

    name: str
    """Name at the left."""
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class SceneCard:
    """A scene of the film strip and of the table."""

    number: int
    """Number from 1."""
    left: float
    """Begin in percent of the video."""
    width: float
    """Length in percent of the video."""
    start_seconds: float
    """PTS of the first frame."""
    start: str
    """Begin as text."""
    end: str
    """End as text."""
    picture: str
    """JPEG as a data URI; empty without a picture."""
    caption: Words | None
    tags: tuple[Words, ...]


@dataclass(frozen=True)
class CutMark:
    """A scene change on the timeline."""

    left: float
    """Begin in percent of the video."""
    width: float
    """Length of the transition in percent of the video, 0 for a cut."""
    seconds: float
    """PTS of the first new frame, or of the middle of a gradual transition."""
    title: str
    """Kind, time and score."""


@dataclass(frozen=True)
class PageContent:
    """All values of a page."""

    name: str
    """Name of the video."""
    video: str
    """Address of the video relative to the page; empty if it is not on this machine."""
    facts: tuple[tuple[str, str], ...]
    """Names and values under the title."""
    note: str
    """Sentence about the checkpoint; may be empty."""
    caption: Words | None
    tags: tuple[Words, ...]
    scenes: tuple[SceneCard, ...]
    cuts: tuple[CutMark, ...]
    lanes: tuple[Lane, ...]
    trace: str
    """Points of the score trace in a box of 1000 x 100; empty without a trace."""
    start_seconds: float
    """PTS of the first frame."""
    duration_seconds: float
    half_frame_seconds: float
    """Half the duration of a frame: a player is sent to the middle of a frame, not to its edge."""


def content_of(
    analysis: Analysis, thumbnails: Sequence[Thumbnail], *, name: str, video: str
) -> PageContent:
    """Return the values of an analysis.

    Args:
        thumbnails: a picture of each scene, in order; may be empty.
        name: name of the video.
        video: address of the video relative to the page; empty if it is not on this machine.
    """
    scale = _Scale(analysis.start_seconds, analysis.duration_seconds)
    return PageContent(
        name=name,
        video=video,
        facts=tuple(_facts(analysis)),
        note=analysis.checkpoint_note,
        caption=_words(analysis.caption),
        tags=_all_words(analysis.tags),
        scenes=tuple(_scenes(analysis, thumbnails, scale)),
        cuts=tuple(_cuts(analysis, scale)),
        lanes=tuple(lane for lane in _lanes(analysis, scale) if lane.blocks),
        trace=_trace(analysis, scale),
        start_seconds=analysis.start_seconds,
        duration_seconds=analysis.duration_seconds,
        half_frame_seconds=0.5 / float(analysis.frame_rate or DEFAULT_FPS),
    )


@dataclass(frozen=True)
class _Scale:
    start_seconds: float
    duration_seconds: float

    def percent(self, seconds: float) -> float:
        share = (seconds - self.start_seconds) / max(self.duration_seconds, 1e-9)
        return round(100 * min(max(share, 0.0), 1.0), 4)

    def stretch(self, begin_seconds: float, end_seconds: float) -> tuple[float, float]:
        left = self.percent(begin_seconds)
        return left, round(self.percent(end_seconds) - left, 4)


def clock(seconds: float) -> str:
    """Return seconds as people read them: 1:02.48 or 1:00:02.48."""
    hundredths = round(seconds * 100)
    whole, part = divmod(abs(hundredths), 100)
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    head = f"{hours}:{minute:02d}" if hours else f"{minute}"
    return f"{'-' if hundredths < 0 else ''}{head}:{second:02d}.{part:02d}"


def _words(text: Tag | Caption | None) -> Words | None:
    return None if text is None else Words(worded(text), round(100 * text.probability, 1))


def _all_words(texts: Sequence[Tag]) -> tuple[Words, ...]:
    return tuple(Words(worded(text), round(100 * text.probability, 1)) for text in texts)


def _facts(analysis: Analysis) -> Iterator[tuple[str, str]]:
    yield "length", clock(analysis.duration_seconds)
    if analysis.picture_size_px is not None:
        yield "picture", "{} x {} px".format(*analysis.picture_size_px)
    if analysis.frame_rate is not None:
        rate = f"{float(analysis.frame_rate):.4g} fps"
        yield "frame rate", f"{rate} on average, variable" if analysis.is_vfr else rate
    yield "scenes", f"{len(analysis.shots)}, found {analysis.scene_mode or 'by the server'}"
    yield "checkpoint", analysis.checkpoint or "unknown"
    yield "server", f"{analysis.server.name} {analysis.server.version}"
    if not analysis.is_complete:
        yield "file", "cut off: the analysis covers the part that is there"


def _scenes(
    analysis: Analysis, thumbnails: Sequence[Thumbnail], scale: _Scale
) -> Iterator[SceneCard]:
    for index, shot in enumerate(analysis.shots):
        left, width = scale.stretch(shot.start_seconds, shot.end_seconds)
        yield SceneCard(
            number=index + 1,
            left=left,
            width=width,
            start_seconds=shot.start_seconds,
            start=clock(shot.start_seconds),
            end=clock(shot.end_seconds),
            picture=_data_uri(jpeg(thumbnails[index])) if index < len(thumbnails) else "",
            caption=_words(shot.caption),
            tags=_all_words(shot.tags),
        )


def _cuts(analysis: Analysis, scale: _Scale) -> Iterator[CutMark]:
    for change in analysis.scene_changes:
        left, width = scale.stretch(change.begin_seconds, change.end_seconds)
        title = f"{change.kind} at {clock(change.timestamp_seconds)}, score {change.score:.2f}"
        yield CutMark(left, width, change.timestamp_seconds, title)


def _lanes(analysis: Analysis, scale: _Scale) -> Iterator[Lane]:
    """Yield a lane for each of the best tags, and one for each kind of bad picture."""
    for tag in analysis.tags[:MOST_LANES]:
        blocks = []
        for chunk in analysis.chunks:
            left, width = scale.stretch(chunk.start_seconds, chunk.end_seconds)
            for own in chunk.tags:
                if own.text == tag.text:
                    title = f"{worded(own)} {own.probability:.0%}"
                    strength = round(max(own.probability, 0.08), 3)
                    blocks.append(Block(left, width, chunk.start_seconds, strength, title))
        yield Lane(tag.text, tuple(blocks))
    if analysis.quality is not None:
        yield Lane("black", tuple(_intervals(analysis.quality.black_intervals, scale)))
        yield Lane("frozen", tuple(_intervals(analysis.quality.freeze_intervals, scale)))


def _intervals(intervals: Sequence[Interval], scale: _Scale) -> Iterator[Block]:
    for begin_seconds, end_seconds in intervals:
        left, width = scale.stretch(begin_seconds, end_seconds)
        title = f"{clock(begin_seconds)} to {clock(end_seconds)}"
        yield Block(left, width, begin_seconds, 1.0, title)


def _trace(analysis: Analysis, scale: _Scale) -> str:
    points = []
    for chunk in analysis.chunks:
        for seconds, score in zip(chunk.frame_timestamps_seconds, chunk.scene_trace, strict=False):
            height = 100 * (1 - min(max(score, 0.0), 1.0))
            points.append(f"{10 * scale.percent(seconds):.1f},{height:.1f}")
    return " ".join(points)


def _data_uri(picture: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
