# SPDX-License-Identifier: Apache-2.0
"""Plans of the edits of real clips: one take after another, hard to tell apart and to follow."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

from benchmarks.common.footage.chance import chance, lengthen, random_join, seconds_between
from benchmarks.common.footage.clips import BIKES_CUTS, TAKES, Take, load_take
from benchmarks.common.footage.clocks import RATES, Clock, even, swing, telephone
from benchmarks.common.footage.drawn import (
    changing_light,
    random_caption,
    random_flash,
    shot_middles,
)
from benchmarks.common.footage.edit import CUT, Edit, Effect, Shot
from benchmarks.common.footage.effects import bars, exposure, flicker, grain
from benchmarks.common.footage.filming import Filming, Look

SIZES_PX = ((640, 360), (640, 272), (480, 360))
COPIES = {"tune": 1, "test": 2}
QUIET_MINUTES = {"tune": 2, "test": 4}
CUTS_AND_DISSOLVES = (CUT, CUT, "dissolve")
ANY = (CUT, CUT, CUT, "dissolve", "fade", "wipe")
COARSE = (("crf", "40"), ("preset", "veryfast"))
QUIET_TAKES = ("parked bicycle", "crossing", "passenger", "rabbit", "cyclist", "taxi")


@dataclass(frozen=True)
class Kind:
    """One group of real edits."""

    joins: tuple[str, ...] = (CUT,)
    """Kinds of joins, each as likely as the number of times that it stands here."""
    gradual: tuple[float, float] = (0.4, 1.5)
    """Range of the duration of gradual joins in seconds."""
    rate: str = "25"
    """Name of a rate, or vfr."""
    options: tuple[tuple[str, str], ...] = ()
    """Options of libx264."""
    lengths: tuple[float, float] = (0.7, 2.8)
    """Range of the duration of shots in seconds."""
    near: bool = False
    """Whether a shot may be another framing of the take before it."""
    moving: float = 0.4
    """Part of the shots in which the window pans or zooms."""
    shake: float = 0.01
    """Largest shake of the hand, as a part of the window's width."""
    flashes: int = 0
    lights: int = 0
    captions: int = 0


KINDS: dict[str, Kind] = {
    "25": Kind(),
    "60": Kind(ANY, rate="60"),
    "vfr": Kind(CUTS_AND_DISSOLVES, rate="vfr"),
    "coarse": Kind(CUTS_AND_DISSOLVES, options=COARSE),
    "dissolves": Kind(("dissolve",), (0.6, 0.6)),
    "gradual": Kind(("dissolve", "dissolve", "fade", "wipe"), (0.3, 1.6)),
    "near": Kind(CUTS_AND_DISSOLVES, near=True),
    "short": Kind(lengths=(0.4, 0.9), rate="29.97"),
    "hand": Kind(ANY, moving=0.8, shake=0.05, rate="29.97"),
    "light": Kind(ANY, flashes=5, lights=4, captions=2),
    "hard mix": Kind(ANY, rate="vfr", near=True, moving=0.7, shake=0.03, flashes=3, lights=2),
}


def real_edits(part: str, clips: Path) -> Iterator[Edit]:
    """Yield the edits of a part, tune or test."""
    for copy in range(COPIES[part]):
        for group, kind in KINDS.items():
            yield joined(part, group, kind, copy, clips)
    yield from whole_clips(part, clips)


def whole_clips(part: str, clips: Path) -> Iterator[Edit]:
    """Yield the clip with real cuts, as it is for tuning, and mirrored at 50 a second for tests."""
    frames = load_take(clips, Take("bikes", 0, 249, 25.0))
    mirrored = part == "test"
    size_px = (640, 272) if not mirrored else (640, 360)
    film = Filming(frames, 25.0, Look(zoom=1.0, end_zoom=1.0, mirrored=mirrored), size_px)
    clock = even(RATES["50" if mirrored else "25"])
    cuts = tuple(
        (Fraction(cut) - Fraction(1, 2)) / 25 if mirrored else Fraction(cut, 25)
        for cut in BIKES_CUTS
    )
    shot = Shot(film.picture, Fraction(10))
    yield Edit(f"{part}-bikes", "bikes", (shot,), (), clock, size_px, inner_cuts=cuts)


def joined(part: str, group: str, kind: Kind, copy: int, clips: Path) -> Edit:
    """Return one edit of a group."""
    dice = chance("real", part, group, copy)
    count, size_px = dice.randint(12, 15), dice.choice(SIZES_PX)
    joins = [random_join(dice, dice.choice(kind.joins), *kind.gradual) for _ in range(count - 1)]
    lengths = lengthen((seconds_between(dice, *kind.lengths) for _ in range(count)), joins)
    films = random_films(dice, kind, lengths, size_px, clips)
    shots = tuple(Shot(f.picture, length) for f, length in zip(films, lengths, strict=True))
    effects, flashes = random_effects(dice, kind, lengths)
    name = f"{part}-real-{group.replace(' ', '-')}-{copy}"
    return Edit(
        name, group, shots, tuple(joins), random_clock(dice, kind.rate), size_px, effects,
        flashes, kind.options,
    )  # fmt: skip


def quiet_edits(part: str, clips: Path) -> Iterator[Edit]:
    """Yield videos of a minute of one take without any cut: still, shaken, panning, flashing."""
    for minute in range(QUIET_MINUTES[part]):
        dice, seconds = chance("real quiet", part, minute), Fraction(60)
        take = TAKES[QUIET_TAKES[(minute + 2 * (part == "tune")) % len(QUIET_TAKES)]]
        kind = Kind(moving=minute % 2, shake=0.03 * (minute % 3))
        look = random_look(dice, kind, take, 60.0)
        size_px = dice.choice(SIZES_PX)
        film = Filming(load_take(clips, take), take.fps, look, size_px)
        effects = [random_flash(dice, dice.uniform(5, 55))[0] for _ in range(minute % 3)]
        effects += [exposure(dice.uniform(5, 50), 1.0, 1.0, 0.7)] * (minute % 2)
        clock = random_clock(dice, dice.choice(("24", "25", "29.97", "vfr")))
        shot = Shot(film.picture, seconds)
        name = f"{part}-real-quiet-{minute}"
        yield Edit(name, "quiet", (shot,), (), clock, size_px, tuple(effects))


def random_clock(dice: random.Random, rate: str) -> Clock:
    """Return the clock of a rate by name."""
    if rate == "vfr":
        return dice.choice((telephone, swing))(dice.randrange(1000))
    return even(RATES[rate])


def random_films(
    dice: random.Random,
    kind: Kind,
    lengths: Sequence[Fraction],
    size_px: tuple[int, int],
    clips: Path,
) -> list[Filming]:
    """Return a film for each shot; a neighbour of the same take is framed visibly differently."""
    films: list[Filming] = []
    name, look = "", Look()
    for length in lengths:
        stays = kind.near and bool(name) and dice.random() < 0.6
        if stays:
            look = reframed(dice, look)
        else:
            name = dice.choice([n for n in TAKES if not same_place(n, name)])
            look = random_look(dice, kind, TAKES[name], float(length))
        take = TAKES[name]
        films.append(Filming(load_take(clips, take), take.fps, look, size_px))
    return films


def same_place(first: str, second: str) -> bool:
    """Return whether two takes show the same, such as both forms of the passenger."""
    return first.split(",")[0] == second.split(",")[0]


def random_look(dice: random.Random, kind: Kind, take: Take, seconds: float) -> Look:
    """Return a look: any part of the take, any window, some with a slow or a fast pan."""
    zoom = dice.uniform(1.05, 1.5)
    look = Look(
        start=dice.uniform(0, take.last - take.first),
        speed=dice.choice((0.5, 1.0, 1.0, 1.0, 1.5, 2.0)),
        blended=dice.random() < 0.4,
        zoom=zoom,
        end_zoom=zoom,
        first=(dice.random(), dice.random()),
        shake=dice.uniform(0, kind.shake),
        phase=dice.random(),
        mirrored=dice.random() < 0.5,
        colour=tuple(dice.uniform(0.85, 1.15) for _ in range(3)),  # type: ignore[arg-type]
        gamma=dice.uniform(0.8, 1.3),
        grey=dice.choice((0.0, 0.0, 0.0, 0.5, 1.0)),
    )
    if dice.random() >= kind.moving:
        return replace(look, last=look.first)
    begin, fast = dice.uniform(0.1, 0.4) * seconds, dice.random() < 0.5
    move = (begin, dice.uniform(0.3, 0.6) if fast else dice.uniform(0.4, 0.6) * seconds)
    wide, near = dice.uniform(1.5, 2.2), dice.uniform(1.0, 1.3)
    if dice.random() < 0.6:
        left, right = (0.0, dice.random()), (1.0, dice.random())
        first, last = (left, right) if dice.random() < 0.5 else (right, left)
        return replace(look, zoom=wide, end_zoom=wide, first=first, last=last, move=move)
    zooms = (near, wide) if dice.random() < 0.5 else (wide, near)
    return replace(look, zoom=zooms[0], end_zoom=zooms[1], last=look.first, move=move)


def reframed(dice: random.Random, look: Look) -> Look:
    """Return a look at the same take as of another camera: far nearer or farther, maybe mirrored.

    A mirrored picture alone would not do: some takes are nearly symmetrical.
    """
    near = look.end_zoom < 1.5
    zoom = dice.uniform(1.9, 2.4) if near else dice.uniform(1.0, 1.1)
    place = (dice.choice((0.15, 0.85)), dice.uniform(0.2, 0.8))
    mirrored = look.mirrored != (dice.random() < 0.4)
    return replace(look, zoom=zoom, end_zoom=zoom, first=place, last=place, mirrored=mirrored)


def random_effects(
    dice: random.Random, kind: Kind, lengths: Sequence[Fraction]
) -> tuple[tuple[Effect, ...], tuple[float, ...]]:
    """Return the effects of an edit, and the times of the flashes among them."""
    total = float(sum(lengths))
    effects: list[Effect] = changing_light(dice, kind.lights, total)
    if kind.lights:
        effects.append(flicker(dice.uniform(0.02, 0.08), dice.uniform(0.08, 0.3)))
    flashes = [random_flash(dice, at) for at in shot_middles(dice, kind.flashes, list(lengths))]
    effects += [effect for effect, _ in flashes]
    effects += [random_caption(dice, total) for _ in range(kind.captions)]
    if dice.random() < 0.3:
        effects.append(grain(dice.randint(3, 9), dice.randrange(1000)))
    if dice.random() < 0.25:
        effects.append(bars(0.1))
    return tuple(effects), tuple(at for _, at in flashes)
