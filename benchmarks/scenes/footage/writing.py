# SPDX-License-Identifier: Apache-2.0
"""Encodes an edit, and writes the truth with the PTS that the encoded file has."""

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from benchmarks.common.clips import once
from benchmarks.common.footage.edit import CUT, Edit, Moment
from benchmarks.common.footage.encoding import encode, read_pts

Truth = dict[str, Any]


def write_edit(edit: Edit, folder: Path) -> Path:
    """Write NAME.mp4 and NAME.json into a folder, unless both are there; return the truth."""
    folder.mkdir(parents=True, exist_ok=True)
    video, truth = folder / f"{edit.name}.mp4", folder / f"{edit.name}.json"
    if not truth.exists():
        planned = list(edit.times(edit.seconds))
        video.unlink(missing_ok=True)
        once(video, lambda part: encode(edit, planned, part))
        found = truth_of(edit, planned, read_pts(video))
        truth.write_text(json.dumps({"video": video.name} | found) + "\n")
    return truth


def truth_of(edit: Edit, planned: list[Fraction], pts: list[Fraction]) -> Truth:
    """Return the truth of an encoded edit; all times are PTS of its file."""
    if len(pts) != len(planned):
        raise ValueError(f"{edit.name}: {len(planned)} frames were encoded, {len(pts)} came back")
    moments = edit.moments(planned)
    cuts = [*_hard_cuts(edit, moments), *(_first(planned, at) for at in edit.inner_cuts)]
    return {
        "group": edit.group,
        "fps": float(len(pts) / edit.seconds),
        "frames": len(pts),
        "seconds": float(pts[-1]),
        "cuts": [float(pts[index]) for index in sorted(cuts)],
        "transitions": _gradual(edit, moments, pts),
        "flashes": [float(pts[_first(planned, Fraction(at))]) for at in edit.flashes],
        "pts_seconds": [round(float(at), 6) for at in pts],
    }


def _hard_cuts(edit: Edit, moments: list[Moment]) -> list[int]:
    """Return the indices of the first new frames."""
    return [
        next(i for i, moment in enumerate(moments) if moment.shot > shot)
        for shot, join in enumerate(edit.joins)
        if join.kind == CUT
    ]


def _gradual(edit: Edit, moments: list[Moment], pts: list[Fraction]) -> list[Truth]:
    """Return the intervals from the first mixed frame to the first pure new one."""
    found = []
    for shot, join in enumerate(edit.joins):
        if join.kind != CUT:
            mixed = [i for i, m in enumerate(moments) if m.shot == shot and m.share > 0]
            begin, end = pts[mixed[0]], pts[mixed[-1] + 1]
            found.append(
                {
                    "kind": join.kind,
                    "style": join.style,
                    "begin_seconds": float(begin),
                    "end_seconds": float(end),
                }
            )
    return found


def _first(planned: list[Fraction], at: Fraction) -> int:
    """Return the index of the first frame at a time or after it."""
    return next(index for index, pts in enumerate(planned) if pts >= at)
