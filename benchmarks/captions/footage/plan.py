# SPDX-License-Identifier: Apache-2.0
"""Plans of the videos: which captions are seen when, over which footage."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.captions.footage.captioned import Captioned, Clock, Shown
from benchmarks.captions.footage.fonts import faces, fetch_fonts
from benchmarks.captions.footage.lettering import Lettering, Style
from benchmarks.captions.footage.sentences import sentences, with_one_letter_changed
from benchmarks.common.footage import drawn, real
from benchmarks.common.footage.chance import chance, lengthen, seconds_between
from benchmarks.common.footage.clips import fetch_clips
from benchmarks.common.footage.edit import Edit, Join, Picture, Shot

SETS, PARTS = ("real", "drawn"), ("tune", "test")
SECONDS = 20
SMALL, MIDDLE, LARGE = (640, 360), (854, 480), (1280, 720)
FONT_SIZES_PX = {SMALL: (16, 24), MIDDLE: (18, 32), LARGE: (26, 52)}
MARGIN = 0.94
"""Part of the width that a line may take."""
COLOURS = ((255, 255, 255), (255, 255, 255), (255, 236, 90), (150, 235, 255))
NAMES = ("CANAL 7", "NordTV", "Kino+", "RADIO SUR")


@dataclass(frozen=True)
class Kind:
    """One group of videos."""

    sizes: tuple[tuple[int, int], ...] = (SMALL, MIDDLE)
    rates: tuple[str, ...] = ("24", "25", "29.97", "30")
    looks: tuple[str, ...] = ("outline", "shadow", "bar", "panel")
    """How the letters stand out."""
    fade_seconds: float = 0.0
    lines: int = 1
    gaps: tuple[str, ...] = ("seconds", "seconds", "frame", "none")
    """Time between two captions, each as likely as the number of times that it stands here."""
    letters: bool = False
    """Whether a caption may be the one before it with one letter changed."""
    moving: float = 0.5
    """Part of the shots in which the window pans or zooms."""
    logo: bool = False
    clock: bool = False
    captions: bool = True
    options: tuple[tuple[str, str], ...] = ()
    """Options of libx264."""


COARSE = (("crf", "30"), ("preset", "veryfast"))
KINDS: dict[str, Kind] = {
    "plain": Kind(),
    "fades": Kind(fade_seconds=0.2),
    "two lines": Kind(lines=2),
    "moving": Kind(moving=1.0, looks=("outline", "shadow")),
    "letters": Kind(letters=True, gaps=("none", "none", "frame")),
    "pauses": Kind(gaps=("frame",)),
    "large": Kind((LARGE,), fade_seconds=0.2, lines=2),
    "60": Kind(rates=("50", "59.94", "60"), gaps=("frame", "none", "seconds")),
    "vfr": Kind(rates=("vfr",), fade_seconds=0.2, letters=True),
    "logo and clock": Kind(logo=True, clock=True),
    "no captions": Kind(logo=True, clock=True, captions=False),
    "coarse": Kind(options=COARSE, logo=True, lines=2),
}
DRAWN_KINDS = ("plain", "fades", "letters", "60", "vfr", "logo and clock")
COPIES = {"tune": 1, "test": 1}


def videos(name: str, part: str, cache: Path) -> Iterator[Captioned]:
    """Yield the videos of a set and a part; clips and fonts are kept in `cache`."""
    fonts = faces(fetch_fonts(cache), part)
    clips = fetch_clips(cache) if name == "real" else cache
    for copy in range(COPIES[part]):
        for group in KINDS if name == "real" else DRAWN_KINDS:
            yield captioned(name, part, group, copy, fonts, clips)


def captioned(
    name: str, part: str, group: str, copy: int, fonts: Sequence[Path], clips: Path
) -> Captioned:
    """Return one video of a group."""
    dice, kind = chance("captions", name, part, group, copy), KINDS[group]
    size_px = dice.choice(kind.sizes)
    footage = real_shots if name == "real" else drawn_shots
    shots = tuple(footage(dice, part, kind, size_px, clips))
    clock = drawn.random_clock(dice, dice.choice(kind.rates))
    title = f"{part}-{name}-{group.replace(' ', '-')}-{copy}"
    joins = (Join(),) * (len(shots) - 1)
    edit = Edit(title, group, shots, joins, clock, size_px, options=kind.options)
    pts = tuple(map(float, clock(edit.seconds)))
    captions = tuple(random_captions(dice, part, kind, size_px, fonts, pts)) * kind.captions
    corner = dice.choice((0.12, 0.88))
    return Captioned(
        edit,
        pts,
        captions,
        random_logo(dice, size_px, fonts, corner) if kind.logo else None,
        random_clock(dice, size_px, fonts, 1 - corner) if kind.clock else None,
    )


def real_shots(
    dice: random.Random, part: str, kind: Kind, size_px: tuple[int, int], clips: Path
) -> Iterator[Shot]:
    """Yield shots of real takes, filmed again."""
    lengths = shot_lengths(dice)
    filmed = real.Kind(moving=kind.moving, shake=0.02)
    films = real.random_films(dice, filmed, lengths, size_px, clips)
    for film, seconds in zip(films, lengths, strict=True):
        yield Shot(film.picture, seconds)


def drawn_shots(
    dice: random.Random, part: str, kind: Kind, size_px: tuple[int, int], clips: Path
) -> Iterator[Shot]:
    """Yield shots of drawn places that no training has seen."""
    for seconds in shot_lengths(dice):
        shot = drawn.random_shot(dice, drawn.Kind(camera="any"), drawn.seed_of(part, dice), seconds)
        yield Shot(lambda t, picture=shot.picture: scaled(picture(t), size_px), seconds)


def shot_lengths(dice: random.Random) -> list[Fraction]:
    """Return durations of shots, SECONDS together."""
    lengths = [seconds_between(dice, 2, 6) for _ in range(5)]
    return lengthen((length * SECONDS / sum(lengths) for length in lengths), [Join()] * 4)


def scaled(picture: Picture, size_px: tuple[int, int]) -> Picture:
    """Return a picture in another size."""
    return np.asarray(Image.fromarray(picture).resize(size_px, Image.Resampling.BILINEAR))


def random_captions(
    dice: random.Random,
    part: str,
    kind: Kind,
    size_px: tuple[int, int],
    fonts: Sequence[Path],
    pts: Sequence[float],
) -> Iterator[Shown]:
    """Yield captions one after the other, in one style."""
    style = random_style(dice, kind, size_px, fonts)
    at = (0.5, dice.uniform(0.9, 0.96))
    texts = list(sentences(part))
    dice.shuffle(texts)
    first, before = index_at(pts, dice.uniform(0.3, 1.5)), ""
    while first < len(pts):
        text = fitting(dice, texts, style, size_px[0] * MARGIN, kind.lines)
        if kind.letters and before and dice.random() < 0.6:
            text = with_one_letter_changed(dice, before)
        seconds = dice.uniform(0.8, 1.2) + 0.045 * len(text) * dice.uniform(0.7, 1.2)
        last = index_at(pts, pts[first] + seconds) - 1
        if last >= len(pts) - 2:
            return
        yield Shown(Lettering(text, style, at, size_px), first, last, kind.fade_seconds)
        gap = dice.choice(kind.gaps)
        begin = {"none": 1, "frame": 2}.get(gap)
        next_seconds = pts[last] + dice.uniform(0.3, 2.0)
        first, before = last + begin if begin else index_at(pts, next_seconds), text


def fitting(dice: random.Random, texts: list[str], style: Style, most_px: float, lines: int) -> str:
    """Return a text of so many lines, each of which fits; a sentence that was used comes last."""
    chosen: list[str] = []
    for text in list(texts):
        if style.width_px(text) <= most_px:
            chosen.append(text)
            texts.append(texts.pop(texts.index(text)))
        if len(chosen) == (lines if dice.random() < 0.8 else 1):
            break
    return "\n".join(chosen)


def random_style(
    dice: random.Random, kind: Kind, size_px: tuple[int, int], fonts: Sequence[Path]
) -> Style:
    """Return a style whose letters can be read on any footage."""
    size, look = dice.randint(*FONT_SIZES_PX[size_px]), dice.choice(kind.looks)
    return Style(
        dice.choice(fonts),
        size,
        dice.choice(COLOURS),
        outline_px=max(1, size // 14) if look == "outline" else 0,
        shadow_px=max(1, size // 12) if look == "shadow" else 0,
        bar_opacity={"bar": 0.55, "panel": 1.0}.get(look, 0.0),
    )


def random_logo(
    dice: random.Random, size_px: tuple[int, int], fonts: Sequence[Path], x: float
) -> Lettering:
    """Return a name in an upper corner."""
    style = Style(dice.choice(fonts), max(16, size_px[1] // 20), outline_px=1)
    return Lettering(dice.choice(NAMES), style, (x, 0.12), size_px)


def random_clock(
    dice: random.Random, size_px: tuple[int, int], fonts: Sequence[Path], x: float
) -> Clock:
    """Return a clock in an upper corner."""
    style = Style(dice.choice(fonts), max(16, size_px[1] // 22), bar_opacity=0.6)
    return Clock(style, (x, 0.13), dice.randrange(86_000), size_px)


def index_at(pts: Sequence[float], seconds: float) -> int:
    """Return the index of the first frame at a time or after it; the number of frames if none."""
    return int(np.searchsorted(pts, seconds))
