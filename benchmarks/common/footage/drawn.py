# SPDX-License-Identifier: Apache-2.0
"""Plans of the drawn videos: shots of places that no training has seen, joined in every way."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

from benchmarks.common.footage.chance import chance, lengthen, random_join, seconds_between
from benchmarks.common.footage.clocks import RATES, Clock, even, swing, telephone
from benchmarks.common.footage.edit import CUT, Edit, Effect, Picture, Shot
from benchmarks.common.footage.effects import caption, exposure, flash
from trireel_drawings.painting.canvas import View
from trireel_drawings.places.register import PAIRS
from trireel_drawings.scenes.scene import HELD_OUT_SEED, draw_scene
from trireel_drawings.scenes.travel import Travel

SIZE_PX = (480, 270)
FIRST_SEEDS = {"tune": HELD_OUT_SEED + 2_000_000, "test": HELD_OUT_SEED + 3_000_000}
"""Seeds of the drawings of each part; both are beyond those of any training."""
COPIES = {"tune": 2, "test": 4}
QUIET_MINUTES = {"tune": 2, "test": 10}
CAPTIONS = ("LIVE", "Chapter one", "Reporter: A. Smith", "12:45", "Goal!", "Breaking news")
DARK = (0.2, 0.21, 0.26)


@dataclass(frozen=True)
class Kind:
    """One group of drawn videos."""

    joins: tuple[str, ...] = (CUT,)
    """Kinds of joins, each as likely as the number of times that it stands here."""
    rate: str = ""
    """Name of a rate, or vfr; by default one of 24, 25, 29.97 and 30 by chance."""
    camera: str = "hand"
    """One of hand, static, pan, zoom, any."""
    near: bool = False
    """Whether a shot resembles the one before it."""
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    """Light of all shots."""
    flashes: int = 0
    """Number of flashes in the video."""
    captions: int = 0
    """Number of texts that come and go."""
    lights: int = 0
    """Number of changes of the exposure."""


MOSTLY_CUTS = (CUT, CUT, "dissolve")
ANY = (CUT, CUT, "dissolve", "fade", "wipe")
KINDS: dict[str, Kind] = {
    "hard": Kind(),
    "flashes": Kind(flashes=5),
    "fades": Kind(("fade",)),
    "dissolves": Kind(("dissolve",)),
    "wipes": Kind(("wipe",)),
    "pans": Kind(MOSTLY_CUTS, camera="pan"),
    "zooms": Kind(MOSTLY_CUTS, camera="zoom"),
    "static": Kind(MOSTLY_CUTS, camera="static"),
    "similar": Kind(MOSTLY_CUTS, near=True),
    "vfr": Kind(ANY, rate="vfr", camera="any"),
    "24": Kind(ANY, rate="24", camera="any"),
    "29.97": Kind(ANY, rate="29.97", camera="any"),
    "60": Kind(ANY, rate="60", camera="any"),
    "dark": Kind(ANY, camera="any", tint=DARK),
    "captions": Kind(ANY, captions=5),
    "mixed": Kind(ANY, camera="any", flashes=2, captions=2, lights=2),
}
CAMERAS = ("hand", "static", "pan", "zoom")


def drawn_edits(part: str) -> Iterator[Edit]:
    """Yield the edits of a part, tune or test."""
    for copy in range(COPIES[part]):
        for group, kind in KINDS.items():
            yield joined(part, group, kind, copy)


def quiet_edits(part: str) -> Iterator[Edit]:
    """Yield videos of a minute without any cut, static and panning ones in turn."""
    for minute in range(QUIET_MINUTES[part]):
        camera = ("static", "pan", "zoom", "hand")[minute % 4]
        dice = chance("quiet", part, minute)
        shot = random_shot(dice, Kind(camera=camera), seed_of(part, dice), Fraction(60))
        effects = [random_flash(dice, dice.uniform(5, 55))[0] for _ in range(minute % 3)]
        effects += [random_caption(dice, 60.0) for _ in range(minute % 2 * 3)]
        clock = even(RATES[dice.choice(("24", "25", "29.97"))])
        yield Edit(f"{part}-quiet-{minute}", "quiet", (shot,), (), clock, SIZE_PX, tuple(effects))


def joined(part: str, group: str, kind: Kind, copy: int) -> Edit:
    """Return one edit of a group."""
    dice = chance("drawn", part, group, copy)
    count = dice.randint(7, 9)
    gradual = (0.2, 2.0) if copy % 2 == 0 else (0.3, 1.0)
    joins = [random_join(dice, dice.choice(kind.joins), *gradual) for _ in range(count - 1)]
    lengths = lengthen((seconds_between(dice, 0.8, 3.2) for _ in range(count)), joins)
    shots: list[Shot] = []
    seed, pair = seed_of(part, dice), dice.choice(PAIRS)
    for length in lengths:
        stays = kind.near and dice.random() < 0.7
        pair = pair if stays else dice.choice([other for other in PAIRS if other[0] != pair[0]])
        seed = seed + 1
        shots.append(random_shot(dice, kind, seed, length, pair))
    effects, flashes = random_effects(dice, kind, lengths)
    return Edit(
        f"{part}-{group}-{copy}", group, tuple(shots), tuple(joins), random_clock(dice, kind.rate),
        SIZE_PX, effects, flashes,
    )  # fmt: skip


def seed_of(part: str, dice: random.Random) -> int:
    """Return a seed of a part's drawings."""
    return FIRST_SEEDS[part] + dice.randrange(1000) * 100


def random_clock(dice: random.Random, rate: str) -> Clock:
    """Return the clock of a rate by name; "" for one of the usual rates."""
    if rate == "vfr":
        return dice.choice((telephone, swing))(dice.randrange(1000))
    return even(RATES[rate or dice.choice(("24", "25", "29.97", "30"))])


def random_shot(
    dice: random.Random,
    kind: Kind,
    seed: int,
    seconds: Fraction,
    pair: tuple[str, str] | None = None,
) -> Shot:
    """Return a shot of a place through one kind of camera."""
    scene = draw_scene(seed, *(pair or dice.choice(PAIRS)))
    name = dice.choice(CAMERAS) if kind.camera == "any" else kind.camera
    camera = random_camera(dice, name, float(seconds), kind.tint)

    def picture(t: float) -> Picture:
        return scene.frame(t + 5, SIZE_PX, camera=camera)

    return Shot(picture, seconds)


def random_camera(
    dice: random.Random, name: str, seconds: float, tint: tuple[float, float, float]
) -> Travel:
    """Return a camera that is held in the hand, stands, pans or zooms; times begin at 5 s."""
    mirrored, grade = dice.random() < 0.5, dice.uniform(0.9, 1.1)
    light = (tint[0] * grade, tint[1], tint[2] / grade)
    first = View(8 + dice.uniform(-0.5, 0.5), 4.5, dice.uniform(1.05, 1.25), mirrored)
    last, shake, move = first, 0.0, (5.0, 1.0)
    if name == "hand":
        shake = dice.uniform(0.02, 0.12)
    elif name == "pan":
        zoom, way = dice.uniform(1.5, 2.2), dice.choice((-1, 1))
        first = View(8 - 3.5 * way, dice.uniform(4, 5), zoom, mirrored)
        last = View(8 + 3.5 * way, dice.uniform(4, 5), zoom, mirrored)
        move = (5 + seconds * dice.uniform(0.1, 0.3), min(seconds / 2, dice.uniform(0.5, 8.0)))
    elif name == "zoom":
        near = View(8 + dice.uniform(-2, 2), dice.uniform(4, 5), dice.uniform(1.8, 3.0), mirrored)
        first, last = (first, near) if dice.random() < 0.5 else (near, first)
        move = (5 + seconds * dice.uniform(0.1, 0.3), min(seconds / 2, dice.uniform(0.6, 8.0)))
    return Travel(first, last, *move, shake, dice.random(), light, dice.randint(0, 6))


def random_effects(
    dice: random.Random, kind: Kind, lengths: list[Fraction]
) -> tuple[tuple[Effect, ...], tuple[float, ...]]:
    """Return the effects of an edit, and the times of the flashes among them."""
    total = float(sum(lengths))
    effects = [random_caption(dice, total) for _ in range(kind.captions)]
    effects += changing_light(dice, kind.lights, total)
    flashes = [random_flash(dice, at) for at in shot_middles(dice, kind.flashes, lengths)]
    return (*effects, *(effect for effect, _ in flashes)), tuple(at for _, at in flashes)


def changing_light(dice: random.Random, count: int, total_seconds: float) -> list[Effect]:
    """Return changes of the exposure; each begins at the gain that the one before it leaves."""
    effects, gain = [], 1.0
    for at in sorted(dice.uniform(0, total_seconds) for _ in range(count)):
        after = dice.choice([other for other in (0.55, 0.75, 1.0, 1.3) if other != gain])
        effects.append(exposure(at, dice.uniform(0.3, 1.2), 1.0, after / gain))
        gain = after
    return effects


def shot_middles(dice: random.Random, count: int, lengths: list[Fraction]) -> list[float]:
    """Return times near the middles of some shots."""
    middles = [
        float(sum(lengths[:index]) + length * seconds_between(dice, 0.4, 0.6))
        for index, length in enumerate(lengths)
        if length > 1
    ]
    return sorted(dice.sample(middles, min(count, len(middles))))


def random_flash(dice: random.Random, at: float) -> tuple[Effect, float]:
    """Return a flash at a time in seconds, and the time."""
    return flash(at, dice.uniform(0.05, 0.16), dice.uniform(0.5, 1.0)), at


def random_caption(dice: random.Random, total_seconds: float) -> Effect:
    """Return a text that is seen for a second or two."""
    begin = dice.uniform(0.2, total_seconds - 1.5)
    where = (dice.uniform(0.05, 0.5), dice.choice((0.08, 0.8)))
    return caption(dice.choice(CAPTIONS), begin, begin + dice.uniform(0.8, 2.5), where)
