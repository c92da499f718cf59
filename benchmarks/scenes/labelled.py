# SPDX-License-Identifier: Apache-2.0
"""Videos with known transitions: those that are made here, and three layouts of folders.

BBC Planet Earth: `videos/bbc_01.mp4` with `fixed/01-scenes.txt`, a scene a line, first and last
frame. ClipShots: `videos/*.mp4` with `annotations/*.json`, which lists for each video transitions
as the last old and the first new frame. Frames are counted from 0 and become PTS by a look at the
file. One's own videos: `NAME.mp4` with `NAME.json`, which has `cuts` and `transitions` in seconds.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import av

from benchmarks.scenes.score import CUT, Transition, Video

GRADUAL = "dissolve"
"""Kind of the gradual transitions of data sets that do not tell them apart."""
VFR_SECONDS = 0.002
QUIET = "quiet"
"""Group of the videos without any transition."""


@dataclass(frozen=True)
class Labelled:
    """A video and its truth."""

    path: Path
    """The file."""
    name: str
    """Name of the set and of the file, unique in a run."""
    group: str
    """Kind of video within its set."""
    truth: Video
    """Its transitions and its PTS."""

    @property
    def minutes(self) -> float:
        """Duration from the first frame to the last."""
        return (self.truth.pts_seconds[-1] - self.truth.pts_seconds[0]) / 60

    @property
    def vfr(self) -> bool:
        """Whether the distances of frames differ by more than rounding does."""
        gaps = [after - before for before, after in pairwise(self.truth.pts_seconds)]
        return max(gaps) - min(gaps) > VFR_SECONDS


class LabelsUnusable(ValueError):
    """A folder has no labels, or labels that do not fit its videos."""


def read_folder(folder: Path, names: str = "*") -> list[Labelled]:
    """Return the labelled videos of a folder in one of the three layouts, by name.

    Args:
        folder: The folder.
        names: Pattern of the names, without suffixes, of videos that are taken.

    Raises:
        LabelsUnusable: if there are no labels, or they name a frame that a video does not have.
    """
    if (folder / "fixed").is_dir():
        found = _read_bbc(folder)
    elif (folder / "annotations").is_dir():
        found = _read_clipshots(folder)
    else:
        found = [_read_own(file) for file in sorted(folder.glob(f"{names}.json"))]
    found = [video for video in found if video.path.match(f"{names}.*")]
    if not found:
        raise LabelsUnusable(
            f"{folder} has no labelled videos: give a folder with NAME.mp4 and NAME.json, or one in"
            " the layout of BBC Planet Earth (videos, fixed) or ClipShots (videos, annotations)"
        )
    return found


def read_pts(path: Path) -> tuple[float, ...]:
    """Return the PTS in seconds of all frames in order, from the packets of the file."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        times = (p.pts for p in container.demux(stream) if p.pts is not None and not p.is_discard)
        return tuple(sorted(float(pts * stream.time_base) for pts in times))


def _read_own(file: Path) -> Labelled:
    raw = json.loads(file.read_text())
    path = file.with_name(raw.get("video", f"{file.stem}.mp4"))
    pts = tuple(raw.get("pts_seconds") or read_pts(path))
    transitions = [Transition(CUT, at, at) for at in raw.get("cuts", ())]
    transitions += [_gradual(found) for found in raw.get("transitions", ())]
    return _labelled(file.parent, path, raw.get("group", file.parent.name), transitions, pts)


def _gradual(raw: dict[str, Any]) -> Transition:
    return Transition(raw["kind"], raw["begin_seconds"], raw["end_seconds"])


def _read_bbc(folder: Path) -> list[Labelled]:
    found = []
    for file in sorted((folder / "fixed").glob("*-scenes.txt")):
        path = folder / "videos" / f"bbc_{file.name.split('-')[0]}.mp4"
        scenes = [tuple(map(int, line.split()[:2])) for line in file.read_text().splitlines()]
        joins = [(last, first) for (_, last), (first, _) in pairwise(scenes)]
        found.append(_from_frames(folder, path, "BBC", joins))
    return found


def _read_clipshots(folder: Path) -> list[Labelled]:
    found = []
    for file in sorted((folder / "annotations").glob("*.json")):
        for name, labels in sorted(json.loads(file.read_text()).items()):
            path = folder / "videos" / name
            if path.exists():
                group = f"ClipShots {file.stem}"
                found.append(_from_frames(folder, path, group, labels["transitions"]))
    return found


def _from_frames(folder: Path, path: Path, group: str, joins: Iterable[Sequence[int]]) -> Labelled:
    """Return a video whose joins are the last old and the first new frame, counted from 0."""
    pts = read_pts(path)
    try:
        transitions = [
            Transition(CUT, pts[new], pts[new])
            if new - old <= 1
            else Transition(GRADUAL, pts[old + 1], pts[new])
            for old, new in joins
        ]
    except IndexError:
        raise LabelsUnusable(
            f"the labels of {path} name a frame that it does not have: it has {len(pts)} frames"
        ) from None
    return _labelled(folder, path, group, transitions, pts)


def _labelled(
    folder: Path,
    path: Path,
    group: str,
    transitions: Iterable[Transition],
    pts: tuple[float, ...],
) -> Labelled:
    ordered = tuple(sorted(transitions, key=lambda found: found.begin_seconds))
    name = re.sub(r"\W+", "-", folder.resolve().name)
    return Labelled(path, f"{name}/{path.stem}", group, Video(ordered, pts))
