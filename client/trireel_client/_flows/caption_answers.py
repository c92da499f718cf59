# SPDX-License-Identifier: Apache-2.0
"""From the tensors of captions on screen to records; docs/tensors.md describes the tensors."""

from collections.abc import Mapping

from trireel_client._captions import CaptionProgress, CaptionStage, Clip
from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import ScreenCaption
from trireel_client._flows.tensors import (
    ANY,
    INTEGERS,
    NUMBERS,
    TEXTS,
    floats,
    integers,
    number,
    numbers,
    strings,
    take,
)
from trireel_client._options import Tensors

NO_PROGRESS = CaptionProgress(
    stages=(), position_seconds=None, start_seconds=None, duration_seconds=None
)


def screen_captions(tensors: Tensors) -> tuple[ScreenCaption, ...]:
    """Return the captions of an answer; raises UnexpectedAnswer."""
    if "TEXT_TEXTS" not in tensors:
        return ()
    texts = strings("TEXT_TEXTS", take(tensors, "TEXT_TEXTS", (ANY,), TEXTS))
    e = len(texts)
    confidences = numbers(tensors, "TEXT_CONFIDENCES", e)
    boxes = take(tensors, "TEXT_BOXES", (e, 4), NUMBERS)
    spans = take(tensors, "TEXT_SPANS", (e, 2), NUMBERS)
    lasts = numbers(tensors, "TEXT_LAST_SECONDS", e)
    pts = take(tensors, "TEXT_PTS", (e, 2), INTEGERS)
    captions = []
    for i, text in enumerate(texts):
        left, top, right, bottom = floats("TEXT_BOXES", boxes[i])
        start_seconds, end_seconds = floats("TEXT_SPANS", spans[i])
        captions.append(
            ScreenCaption(
                text=text,
                confidence=confidences[i],
                box=(left, top, right, bottom),
                start_seconds=start_seconds,
                end_seconds=end_seconds,
                first_frame_seconds=start_seconds,
                last_frame_seconds=lasts[i],
                first_frame_pts=int(pts[i, 0]),
                last_frame_pts=int(pts[i, 1]),
            )
        )
    return tuple(captions)


def clips(tensors: Tensors) -> tuple[Clip, ...]:
    """Return the clips of an answer; raises UnexpectedAnswer."""
    if "CLIP_DATA" not in tensors:
        return ()
    files = take(tensors, "CLIP_DATA", (ANY,), TEXTS)
    j = len(files)
    indices = integers(tensors, "CLIP_INDICES", j)
    spans = take(tensors, "CLIP_SPANS", (j, 2), NUMBERS)
    counts = integers(tensors, "CLIP_NUM_FRAMES", j)
    found = []
    for i, data in enumerate(files):
        start_seconds, end_seconds = floats("CLIP_SPANS", spans[i])
        if not isinstance(data, bytes) or not data:
            raise UnexpectedAnswer(f"clip {indices[i]} of the answer holds no bytes")
        found.append(
            Clip(
                index=indices[i],
                start_seconds=start_seconds,
                end_seconds=end_seconds,
                num_frames=counts[i],
                data=data,
            )
        )
    return tuple(found)


def progress(tensors: Tensors, before: CaptionProgress) -> CaptionProgress:
    """Return how far the server is; parts that an answer lacks are those of `before`."""
    return CaptionProgress(
        stages=_stages(tensors) if "STAGES" in tensors else before.stages,
        position_seconds=_latest(tensors, "POSITION_SECONDS", before.position_seconds),
        start_seconds=_latest(tensors, "VIDEO_START_SECONDS", before.start_seconds),
        duration_seconds=_latest(tensors, "VIDEO_DURATION_SECONDS", before.duration_seconds),
    )


def _stages(tensors: Tensors) -> tuple[CaptionStage, ...]:
    names = strings("STAGES", take(tensors, "STAGES", (ANY,), TEXTS))
    u = len(names)
    waits = _optional(tensors, "STAGE_WAIT_MS", u)
    starved = _optional(tensors, "STAGE_STARVED_MS", u)
    counts = integers(tensors, "STAGE_COUNTS", u)
    busy = numbers(tensors, "STAGE_BUSY_MS", u)
    return tuple(
        CaptionStage(
            name=name,
            count=counts[i],
            busy_ms=busy[i],
            wait_ms=waits.get(i),
            starved_ms=starved.get(i),
        )
        for i, name in enumerate(names)
    )


def _optional(tensors: Tensors, name: str, size: int) -> Mapping[int, float]:
    return dict(enumerate(numbers(tensors, name, size))) if name in tensors else {}


def _latest(tensors: Tensors, name: str, before: float | None) -> float | None:
    return number(tensors, name) if name in tensors else before
