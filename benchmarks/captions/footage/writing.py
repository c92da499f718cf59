# SPDX-License-Identifier: Apache-2.0
"""Encodes a video with captions, and writes the truth with the PTS that the encoded file has."""

import json
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.captions.footage.captioned import Captioned, Shown
from benchmarks.captions.footage.lettering import Box
from benchmarks.common.clips import once
from benchmarks.common.footage.edit import Edit, Picture
from benchmarks.common.footage.encoding import encode, read_pts

REGION_MARGIN_PX = 12
Truth = dict[str, Any]


def write_captioned(video: Captioned, folder: Path) -> Path:
    """Write NAME.mp4 and NAME.json into a folder, unless both are there; return the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    path, truth = folder / f"{video.edit.name}.mp4", folder / f"{video.edit.name}.json"
    if not truth.exists():
        path.unlink(missing_ok=True)
        planned = list(video.edit.times(video.edit.seconds))
        once(path, lambda part: encode(_lettered(video), planned, part))
        found = truth_of(video, read_pts(path))
        truth.write_text(json.dumps({"video": path.name} | found, ensure_ascii=False) + "\n")
    return truth


def truth_of(video: Captioned, pts: list[Fraction]) -> Truth:
    """Return the truth of an encoded video; all times are PTS of its file."""
    if len(pts) != len(video.pts):
        raise ValueError(
            f"{video.edit.name}: {len(video.pts)} frames were encoded, {len(pts)} came back"
        )
    seconds = [float(at) for at in pts]
    width, height = video.edit.size_px
    others = [] if video.logo is None else [{"kind": "logo", "text": video.logo.text}]
    if video.clock is not None:
        others.append({"kind": "clock", "text": video.clock.lettering(0).text})
    return {
        "group": video.edit.group,
        "size_px": [width, height],
        "fps": len(pts) / float(video.edit.seconds),
        "captions": [_caption(shown, seconds, video.edit.size_px) for shown in video.captions],
        "region": region(video),
        "not_captions": others,
        "pts_seconds": [round(at, 6) for at in seconds],
    }


def region(video: Captioned) -> list[float]:
    """Return the part of the picture with all captions: x1, y1, x2, y2 as parts of its sides."""
    width, height = video.edit.size_px
    if not video.captions:
        return [0.0, 0.7, 1.0, 1.0]
    boxes = [shown.lettering.box for shown in video.captions]
    top = min(box[1] for box in boxes) - REGION_MARGIN_PX
    bottom = max(box[3] for box in boxes) + REGION_MARGIN_PX
    return _parts((0, max(0, top), width, min(height, bottom)), width, height)


def _caption(shown: Shown, pts: list[float], size_px: tuple[int, int]) -> Truth:
    first_full, last_full = shown.full(pts)
    style = shown.lettering.style
    after = pts[shown.last + 1] if shown.last + 1 < len(pts) else pts[shown.last]
    return {
        "text": shown.lettering.text,
        "box": _parts(shown.lettering.box, *size_px),
        "first_seconds": round(pts[shown.first], 6),
        "first_full_seconds": round(pts[first_full], 6),
        "last_full_seconds": round(pts[last_full], 6),
        "last_seconds": round(pts[shown.last], 6),
        "end_seconds": round(after, 6),
        "font": style.font.stem,
        "font_px": style.size_px,
    }


def _parts(box: Box, width: int, height: int) -> list[float]:
    return [round(side / whole, 5) for side, whole in zip(box, (width, height) * 2, strict=True)]


def _lettered(video: Captioned) -> Edit:
    """Return the edit whose frames carry the letters; frames come in order, once each."""
    numbers: Iterator[int] = iter(range(len(video.pts)))

    def letters(picture: Picture, t: float) -> Picture:
        return video.over(picture, next(numbers))

    return replace(video.edit, effects=(*video.edit.effects, letters))
