# SPDX-License-Identifier: Apache-2.0
"""Inputs of the finding `scenes`."""

from dataclasses import dataclass, field

from trireel_backend.errors import InvalidInput
from trireel_backend.findings.free_texts import free_texts
from trireel_backend.findings.tags import TagOptions, Tags
from trireel_backend.wire.request import Request
from trireel_schema.scenes import MAX_SCENE_SCORE, MODES
from trireel_schema.texts import TextSet

MAX_MIN_SECONDS = 3600.0


@dataclass(frozen=True)
class SceneOptions:
    """Inputs of a request, the same for every chunk of a video; None for the server's settings."""

    mode: str | None = None
    """SAMPLED, REFINED or EXACT."""
    threshold: float | None = None
    """Smallest scene score of a cut in mode SAMPLED."""
    alpha: float | None = None
    """Weight of the newest frame in the running average."""
    min_seconds: float = 0.0
    """Shortest scene in seconds."""
    with_trace: bool = False
    """True to return the signals of each small frame."""
    tags: TagOptions = field(default_factory=TagOptions)
    """Tags of each scene."""
    descriptions: TextSet | None = None
    """Descriptions to choose the caption of each scene from; None for the bank's."""

    def __post_init__(self) -> None:
        if self.mode is not None and self.mode not in MODES:
            raise InvalidInput(f"SCENES is {self.mode[:40]!r}: give one of {', '.join(MODES)}")
        if self.threshold is not None and not 0.0 < self.threshold <= MAX_SCENE_SCORE:
            raise InvalidInput(
                f"SCENE_THRESHOLD is {self.threshold:g}: give a number above 0, up to"
                f" {MAX_SCENE_SCORE:g}"
            )
        if self.alpha is not None and not 0.0 <= self.alpha <= 1.0:
            raise InvalidInput(f"SCENE_ALPHA is {self.alpha:g}: give a number from 0 to 1")
        if not 0.0 <= self.min_seconds <= MAX_MIN_SECONDS:
            raise InvalidInput(
                f"SCENE_MIN_SECONDS is {self.min_seconds:g}: give a number from 0 to"
                f" {MAX_MIN_SECONDS:g}"
            )


def read_scene_options(request: Request) -> SceneOptions:
    """Return the inputs of a request; raises InvalidInput."""
    modes = request.texts("SCENES")
    if modes is not None and len(modes) != 1:
        raise InvalidInput(f"SCENES holds {len(modes)} texts: give one of {', '.join(MODES)}")
    return SceneOptions(
        mode=None if modes is None else modes[0],
        threshold=request.number("SCENE_THRESHOLD", float),
        alpha=request.number("SCENE_ALPHA", float),
        min_seconds=request.number("SCENE_MIN_SECONDS", float) or 0.0,
        with_trace=bool(request.number("SCENE_WITH_TRACE", bool)),
        tags=Tags.options(request),
        descriptions=free_texts(request, "DESCRIPTIONS"),
    )
