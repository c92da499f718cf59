# SPDX-License-Identifier: Apache-2.0
"""The records of a request for captions on screen, beside the captions themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from trireel_client._findings import ScreenCaption
from trireel_client._json import plain
from trireel_client._servers import ServerInfo

CAPTIONS_SCHEMA_VERSION = 1
"""Version of the report's JSON; a field that changes its meaning or goes raises it."""
TOTAL_STAGE = "total"
"""Name of the server's entry for the whole request, which is no stage."""
Region = tuple[float, float, float, float]
"""Left, top, width and height as fractions of the upright picture."""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A stretch of the region as a WebM file that plays alone."""

    index: int
    """Position of the clip in the video, from 0."""
    start_seconds: float
    """PTS of the clip's first frame."""
    end_seconds: float
    """PTS at which the clip ends."""
    num_frames: int
    """Number of frames in the clip."""
    data: bytes = field(repr=False)
    """Content of the WebM file."""


@dataclass(frozen=True, kw_only=True)
class CaptionStage:
    """The work of one stage so far; stages overlap, so their times exceed the total."""

    name: str
    """Name of the stage, such as `extract`, `compare`, `read` or `encode`."""
    count: int
    """Number of frames, captions or clips that the stage has done."""
    busy_ms: float
    """Milliseconds of work, summed over everything that the stage does side by side."""
    wait_ms: float | None = None
    """Milliseconds for which the stage waited for the one behind it; None if not measured."""
    starved_ms: float | None = None
    """Milliseconds for which the stage waited for input; None if not measured."""

    @property
    def waited_ms(self) -> float | None:
        """Milliseconds for which the stage waited for others; None if not measured."""
        if self.wait_ms is None and self.starved_ms is None:
            return None
        return (self.wait_ms or 0.0) + (self.starved_ms or 0.0)

    @property
    def running_ms(self) -> float:
        """Milliseconds for which the stage worked or waited."""
        return self.busy_ms + (self.waited_ms or 0.0)


@dataclass(frozen=True, kw_only=True)
class CaptionProgress:
    """How far the server is."""

    stages: tuple[CaptionStage, ...]
    """Work of each stage so far."""
    position_seconds: float | None
    """PTS up to which the captions are certain; None if the server does not report it."""
    start_seconds: float | None
    """PTS of the video's first frame; None if it is not yet known."""
    duration_seconds: float | None
    """Length of the video; None if it is not yet known."""


@dataclass(frozen=True, kw_only=True)
class CaptionReport:
    """A whole video's captions and clips in numbers: the last event of the request."""

    stream_id: str
    """The caller's name for the video; also the request's id in the server's log."""
    start_seconds: float
    """PTS of the video's first frame."""
    duration_seconds: float
    """Length of the video."""
    time_base: Fraction
    """Unit in seconds of the captions' `first_frame_pts` and `last_frame_pts`."""
    region: Region
    """Region that was read."""
    picture_size_px: tuple[int, int] | None
    """Width and height of the upright picture; None if the server does not report it."""
    is_complete: bool
    """False if the file was cut off: the captions then cover the part that is there."""
    num_captions: int
    """Number of captions."""
    num_clips: int
    """Number of clips."""
    num_clip_frames: int
    """Number of frames in all clips."""
    stages: tuple[CaptionStage, ...]
    """Work of each stage."""
    server: ServerInfo
    """The server that answered."""
    client_ms: float
    """Milliseconds from sending the request to having the last event, measured by the client."""

    @property
    def bounding_stage(self) -> CaptionStage | None:
        """Stage that keeps the others waiting; None if no stage worked."""
        return bounding_stage(self.stages, self.client_ms)

    def to_json_dict(self, captions: Sequence[ScreenCaption]) -> dict[str, Any]:
        """Return the report and its captions as plain values for `json.dumps`.

        docs/captions.schema.json describes it: the names are those of the records' fields.
        """
        return {
            "schema_version": CAPTIONS_SCHEMA_VERSION,
            "captions": [plain(caption) for caption in captions],
            **plain(self),
            "bounding_stage": None if self.bounding_stage is None else self.bounding_stage.name,
            "server": {"name": self.server.name, "version": self.server.version},
        }


CaptionEvent = ScreenCaption | Clip | CaptionProgress | CaptionReport
"""What a request for captions yields, in the order in which it becomes certain."""


def bounding_stage(stages: Sequence[CaptionStage], wall_ms: float) -> CaptionStage | None:
    """Return the stage that keeps the others waiting; None if no stage worked.

    Of the stages that run for most of the request it is the one that waits least itself: those
    before it wait for room, those behind it for input. If the server does not measure waiting, it
    is the stage with the most work.

    Args:
        wall_ms: milliseconds of the whole request.
    """
    working = [stage for stage in stages if stage.busy_ms > 0 and stage.name != TOTAL_STAGE]
    running = [stage for stage in working if stage.waited_ms is not None]
    running = [stage for stage in running if stage.running_ms > wall_ms / 2]
    if not running:
        return max(working, key=lambda stage: stage.busy_ms, default=None)
    return min(running, key=lambda stage: (_waited_share(stage, wall_ms), -stage.busy_ms))


def _waited_share(stage: CaptionStage, wall_ms: float) -> float:
    """Return the share of the time in which a stage waited, in steps of a hundredth."""
    return round((stage.waited_ms or 0.0) / wall_ms, 2) if wall_ms > 0 else 0.0
