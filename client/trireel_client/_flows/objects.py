# SPDX-License-Identifier: Apache-2.0
"""From the output tensors of `objects` to detections, tracks and labels on screen."""

from itertools import groupby, pairwise

from trireel_client._errors import UnexpectedAnswer
from trireel_client._findings import (
    BestView,
    Box,
    Detection,
    LabelOnScreen,
    Objects,
    TimeSpan,
    Track,
)
from trireel_client._flows.rows import Fields
from trireel_client._flows.tensors import (
    ANY,
    NUMBERS,
    TEXTS,
    floats,
    integers,
    numbers,
    strings,
    take,
)
from trireel_client._options import Tensors

NO_TRACK = -1


def reported_objects(tensors: Tensors) -> Fields:
    """Return the objects that an answer reports; raises UnexpectedAnswer."""
    objects = Objects(
        mode=_mode(tensors),
        labels_on_screen=_labels_on_screen(tensors),
        tracks=_tracks(tensors),
        detections=_detections(tensors),
        frame_timestamps_seconds=numbers(tensors, "OBJECT_FRAME_TIMESTAMPS", ANY),
    )
    _check(objects, set(integers(tensors, "CHUNK_INDICES", ANY)))
    return {"objects": objects}


def _check(objects: Objects, chunks: set[int]) -> None:
    """Raise UnexpectedAnswer if a detection is on no frame of the answer, or an id repeats."""
    frames = set(objects.frame_timestamps_seconds)
    for detection in objects.detections:
        if detection.timestamp_seconds not in frames:
            seconds = detection.timestamp_seconds
            raise UnexpectedAnswer(
                f"the answer has an object at {seconds} s, a frame that is not among those that"
                " the detector looked at"
            )
        if detection.chunk_index not in chunks:
            raise UnexpectedAnswer(
                f"the answer has objects in chunks it does not hold: {detection.chunk_index}"
            )
    for track, after in pairwise(objects.tracks):
        if track.track_id == after.track_id:
            raise UnexpectedAnswer(f"the answer has two tracks of id {track.track_id}")


def _mode(tensors: Tensors) -> str:
    modes = strings("OBJECT_MODE", take(tensors, "OBJECT_MODE", (ANY,), TEXTS))
    if len(set(modes)) != 1:
        raise UnexpectedAnswer(f"the answer's OBJECT_MODE is {', '.join(modes) or 'empty'}")
    return modes[0]


def _detections(tensors: Tensors) -> tuple[Detection, ...]:
    times = numbers(tensors, "OBJECT_TIMESTAMPS", ANY)
    o = len(times)
    rows = zip(
        times,
        integers(tensors, "OBJECT_CHUNK_INDICES", o),
        _labels(tensors, "OBJECT_LABELS", o),
        numbers(tensors, "OBJECT_SCORES", o),
        _boxes(tensors, "OBJECT_BOXES", o),
        integers(tensors, "OBJECT_TRACK_IDS", o),
        strict=True,
    )
    return tuple(
        Detection(
            timestamp_seconds=time,
            chunk_index=chunk,
            label=label,
            score=score,
            box=box,
            track_id=None if track == NO_TRACK else track,
        )
        for time, chunk, label, score, box, track in rows
    )


def _tracks(tensors: Tensors) -> tuple[Track, ...]:
    ids = integers(tensors, "TRACK_IDS", ANY)
    r = len(ids)
    rows = zip(
        ids,
        _labels(tensors, "TRACK_LABELS", r),
        _spans(tensors, "TRACK_SPANS", r),
        numbers(tensors, "TRACK_SCORES", r),
        numbers(tensors, "TRACK_BEST_SECONDS", r),
        _boxes(tensors, "TRACK_BEST_BOXES", r),
        strict=True,
    )
    tracks = [
        Track(
            track_id=track,
            label=label,
            start_seconds=span.start_seconds,
            end_seconds=span.end_seconds,
            score=score,
            best=BestView(timestamp_seconds=seconds, box=box),
        )
        for track, label, span, score, seconds, box in rows
    ]
    return tuple(sorted(tracks, key=lambda track: track.track_id))


def _labels_on_screen(tensors: Tensors) -> tuple[LabelOnScreen, ...]:
    """Return the intervals of each label; the labels are in alphabetical order."""
    spans = _spans(tensors, "ONSCREEN_SPANS", ANY)
    labels = _labels(tensors, "ONSCREEN_LABELS", len(spans))
    rows = sorted(
        zip(labels, spans, strict=True),
        key=lambda row: (row[0], row[1].start_seconds),
    )
    return tuple(
        LabelOnScreen(label=label, intervals=tuple(span for _, span in group))
        for label, group in groupby(rows, key=lambda row: row[0])
    )


def _labels(tensors: Tensors, name: str, size: int) -> tuple[str, ...]:
    return strings(name, take(tensors, name, (size,), TEXTS))


def _boxes(tensors: Tensors, name: str, size: int) -> list[Box]:
    rows = take(tensors, name, (size, 4), NUMBERS)
    left, top, right, bottom = (floats(name, rows[:, side]) for side in range(4))
    return list(zip(left, top, right, bottom, strict=True))


def _spans(tensors: Tensors, name: str, size: int) -> list[TimeSpan]:
    rows = take(tensors, name, (size, 2), NUMBERS)
    starts, ends = floats(name, rows[:, 0]), floats(name, rows[:, 1])
    for start, end in zip(starts, ends, strict=True):
        if start > end:
            raise UnexpectedAnswer(f"the answer's {name} has a span from {start} to {end} s")
    return [
        TimeSpan(start_seconds=start, end_seconds=end)
        for start, end in zip(starts, ends, strict=True)
    ]
