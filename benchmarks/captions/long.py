# SPDX-License-Identifier: Apache-2.0
"""Long videos with captions: two captioned minutes, repeated without being encoded again."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from benchmarks.captions.footage.captioned import Captioned
from benchmarks.captions.footage.fonts import faces, fetch_fonts
from benchmarks.captions.footage.plan import KINDS, SMALL, random_captions, real_shots
from benchmarks.captions.footage.writing import write_captioned
from benchmarks.common.clips import once, repeat
from benchmarks.common.footage.chance import chance
from benchmarks.common.footage.clips import fetch_clips
from benchmarks.common.footage.clocks import even
from benchmarks.common.footage.edit import Edit, Join

CLIP_MINUTES, CLIP_NAME = 2, "two-minutes"
SHOTS_SECONDS = 20


def long_video(videos: Path, minutes: int) -> tuple[Path, list[float]]:
    """Return a video of real footage with a caption every few seconds, and its region.

    Args:
        videos: folder of the videos, in which clips and fonts are kept.
        minutes: a multiple of CLIP_MINUTES.

    Returns:
        The file, and left, top, width, height of the region as fractions.
    """
    folder = videos / "long"
    folder.mkdir(parents=True, exist_ok=True)
    truth = write_captioned(_two_minutes(videos), folder)
    report = json.loads(truth.read_text())
    clip = folder / report["video"]
    x1, y1, x2, y2 = report["region"]
    video = folder / f"{minutes}-minutes.mp4"
    once(video, lambda part: repeat(clip, minutes // CLIP_MINUTES, part))
    return video, [x1, y1, x2 - x1, y2 - y1]


def _two_minutes(cache: Path) -> Captioned:
    dice = chance("captions", "long")
    kind = replace(KINDS["plain"], sizes=(SMALL,), gaps=("seconds",))
    fonts, clips = faces(fetch_fonts(cache), "test"), fetch_clips(cache)
    count = CLIP_MINUTES * 60 // SHOTS_SECONDS
    shots = [shot for _ in range(count) for shot in real_shots(dice, "test", kind, SMALL, clips)]
    clock = even(Fraction(24))
    joins = (Join(),) * (len(shots) - 1)
    edit = Edit(CLIP_NAME, "long", tuple(shots), joins, clock, SMALL)
    pts = tuple(map(float, clock(edit.seconds)))
    captions = tuple(random_captions(dice, "test", kind, SMALL, fonts, pts))
    return Captioned(edit, pts, captions)
