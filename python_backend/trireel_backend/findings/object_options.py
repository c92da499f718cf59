# SPDX-License-Identifier: Apache-2.0
"""Inputs of the finding `objects`."""

from dataclasses import dataclass

from trireel_backend.errors import InvalidInput
from trireel_backend.wire.request import Request
from trireel_schema.detector import DETECTOR_MODEL, DetectorMetadata
from trireel_schema.objects import (
    COMBINED,
    DEFAULT_OBJECTS_FPS,
    MAX_OBJECTS_FPS,
    OBJECT_MODES,
)

SHOWN_LABELS = 12  # in a message


@dataclass(frozen=True)
class ObjectOptions:
    """Inputs of a request, the same for every chunk of a video."""

    mode: str = COMBINED
    """COMBINED or CHUNKED."""
    fps: float = DEFAULT_OBJECTS_FPS
    """Frames per second in which objects are looked for."""
    labels: tuple[str, ...] | None = None
    """Labels to return, None for all of the detector."""
    threshold: float | None = None
    """Smallest score of a detection, None for that of the detector."""

    def __post_init__(self) -> None:
        if self.mode not in OBJECT_MODES:
            raise InvalidInput(
                f"OBJECTS is {self.mode[:40]!r}: give one of {', '.join(OBJECT_MODES)}"
            )
        if not 0 < self.fps <= MAX_OBJECTS_FPS:  # also true for NaN
            raise InvalidInput(
                f"OBJECTS_FPS is {self.fps:g}: give more than 0 and up to {MAX_OBJECTS_FPS:g}"
            )
        if self.threshold is not None and not 0 < self.threshold <= 1:
            raise InvalidInput(
                f"OBJECTS_THRESHOLD is {self.threshold:g}: give a number above 0, up to 1"
            )


@dataclass(frozen=True)
class Wanted:
    """What a request wants of the detector of this server."""

    detector: DetectorMetadata
    """Metadata of the detector."""
    labels: frozenset[int]
    """Indices of the labels to return."""
    threshold: float
    """Smallest score of a detection."""


def read_object_options(request: Request) -> ObjectOptions:
    """Return the inputs of a request; raises InvalidInput."""
    modes, fps = request.texts("OBJECTS"), request.number("OBJECTS_FPS", float)
    if modes is not None and len(modes) != 1:
        raise InvalidInput(
            f"OBJECTS holds {len(modes)} texts: give one of {', '.join(OBJECT_MODES)}"
        )
    return ObjectOptions(
        mode=COMBINED if modes is None else modes[0],
        fps=DEFAULT_OBJECTS_FPS if fps is None else fps,
        labels=request.texts("OBJECTS_LABELS"),
        threshold=request.number("OBJECTS_THRESHOLD", float),
    )


def wanted(options: ObjectOptions, detector: DetectorMetadata | None) -> Wanted:
    """Return what the options mean for a detector.

    Raises:
        InvalidInput: if the server has no detector, or it does not know a label.
    """
    if detector is None:
        raise InvalidInput(
            f"FIND names objects, which needs the model {DETECTOR_MODEL}, and this server has none:"
            " start it with --detector and the folder that trireel-export detector makes"
        )
    known = {label: index for index, label in enumerate(detector.labels)}
    names = detector.labels if options.labels is None else options.labels
    for name in names:
        if name not in known:
            shown = ", ".join(detector.labels[:SHOWN_LABELS])
            more = len(detector.labels) - SHOWN_LABELS
            raise InvalidInput(
                f"OBJECTS_LABELS names {name[:40]!r}, which the detector {detector.checkpoint[:60]}"
                f" does not know: give some of {shown}"
                f"{f' and {more} others, which server_info lists' if more > 0 else ''}"
            )
    threshold = detector.threshold if options.threshold is None else options.threshold
    return Wanted(detector, frozenset(known[name] for name in names), threshold)
