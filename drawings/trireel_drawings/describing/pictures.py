# SPDX-License-Identifier: Apache-2.0
"""Pictures of drawn scenes and the facts that questions are about."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from trireel_drawings.figures import people
from trireel_drawings.figures.activities import Act
from trireel_drawings.painting.canvas import WORLD_WIDTH, Pen
from trireel_drawings.painting.colours import BLUE, DARK, ORANGE, RED, YELLOW, Colour, shade, vary
from trireel_drawings.painting.dice import Dice
from trireel_drawings.places.register import PAIRS
from trireel_drawings.runs.drawing import draw_pieces
from trireel_drawings.scenes.scene import draw_scene

IMAGE_SIZE_PX = 96  # side of the pictures of the tower
FRAMES = 2  # of each scene
COLOURS: dict[str, Colour] = {
    "red": RED,
    "orange": ORANGE,
    "yellow": YELLOW,
    "blue": BLUE,
    "green": (58, 150, 84),
    "purple": (132, 74, 160),
    "pink": (236, 120, 170),
    "white": (240, 240, 236),
}
"""Colours of balloons, by the name that an answer gives them."""

BALLOON, PERSON = "balloon", "person"
MOST_BALLOONS = 4
MOST_GUESTS = 3
SLOTS = 7  # places side by side for balloons and guests, so that none hides another
SEEN = 0.3
"""Smallest visible share of a person or balloon that counts."""
SURELY_SEEN, HARDLY_SEEN = 0.45, 0.15
"""A thing with a visible share between these may be counted or not: its picture is not asked."""

SCENES_PER_JOB = 110
SHOW_STREAM, GUEST_STREAM, DEGRADE_STREAM = 400, 401, 402  # of the scene's dice
LONGEST_START_SECONDS = 40.0
LONGEST_GAP_SECONDS = 6.0  # between the two frames of a scene
SIZES_PX = ((160, 90), (192, 108), (256, 144))


@dataclass(frozen=True)
class Facts:
    """The truth about one picture."""

    pair: int
    """Index of its place and activity in PAIRS."""
    is_plain: bool
    """True if the scene shows its own activity and nothing beside it."""
    people: int
    """Number of people that are seen."""
    balloons: int
    """Number of balloons that are seen."""
    colour: str
    """Name of the balloons' colour."""
    is_countable: bool
    """True if no person or balloon is so little visible that its count is open."""


@dataclass(frozen=True)
class Shots:
    """Two pictures of each of many scenes."""

    frames: NDArray[np.uint8]
    """[scenes, FRAMES, IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3] RGB."""
    facts: tuple[tuple[Facts, ...], ...]
    """Facts of each picture, [scenes][FRAMES]."""


@dataclass(frozen=True)
class _Cast:
    """What stands in a scene beside its own activity."""

    guests: int
    balloons: tuple[int, int]
    colour: str


def draw_shots(first_seed: int, scenes: int, *, workers: int) -> Iterator[Shots]:
    """Return pieces of the pool; scenes of every pair come in turn.

    Args:
        first_seed: seed of the first scene; the others follow.
        scenes: number of scenes.
        workers: processes that draw.
    """
    return draw_pieces(draw_piece, first_seed, scenes, SCENES_PER_JOB, workers=workers)


def join(pieces: Sequence[Shots]) -> Shots:
    """Return the pictures of all pieces."""
    frames = np.concatenate([piece.frames for piece in pieces])
    return Shots(frames, tuple(facts for piece in pieces for facts in piece.facts))


def draw_piece(first_seed: int, total: int, start: int) -> Shots:
    """Draw the scenes from `start` on, SCENES_PER_JOB at most."""
    indices = range(start, min(start + SCENES_PER_JOB, total))
    return draw_scenes([(first_seed + index, index % len(PAIRS)) for index in indices])


def draw_scenes(scenes: Sequence[tuple[int, int]], *, is_plain: bool = False) -> Shots:
    """Draw scenes, each given by its seed and the index of its pair.

    Args:
        is_plain: True for scenes without guests and balloons.
    """
    drawn = [_scene_shots(seed, pair, is_plain) for seed, pair in scenes]
    frames = np.stack([np.stack([frame for frame, _ in scene]) for scene in drawn])
    return Shots(frames, tuple(tuple(facts for _, facts in scene) for scene in drawn))


def _scene_shots(seed: int, pair: int, is_plain: bool) -> list[tuple[NDArray[np.uint8], Facts]]:
    dice = Dice(seed, SHOW_STREAM)
    scene = draw_scene(seed, *PAIRS[pair])
    has_cast = dice.chance(0.6) and not is_plain
    cast = _cast(dice) if has_cast else _Cast(0, (0, 0), next(iter(COLOURS)))
    start = dice.between(0.0, LONGEST_START_SECONDS)
    times = (start, start + dice.between(0.5, LONGEST_GAP_SECONDS))
    degrade = Dice(seed, DEGRADE_STREAM)
    shots = []
    for t, balloons in zip(times, cast.balloons, strict=True):
        act = _guests(seed, cast, balloons)
        frame, things = scene.observed(t, degrade.pick(SIZES_PX), extras=act)
        seen = {
            label: [thing.visible for thing in things if thing.label == label]
            for label in (PERSON, BALLOON)
        }
        shares = [share for each in seen.values() for share in each]
        facts = Facts(
            pair=pair,
            is_plain=cast.guests == 0 and balloons == 0,
            people=sum(share > SEEN for share in seen[PERSON]),
            balloons=sum(share > SEEN for share in seen[BALLOON]),
            colour=cast.colour,
            is_countable=not any(HARDLY_SEEN < share < SURELY_SEEN for share in shares),
        )
        shots.append((_degraded(frame, degrade), facts))
    return shots


def _cast(dice: Dice) -> _Cast:
    guests = dice.pick((0, 0, 0, 1, 2, MOST_GUESTS))
    count = dice.pick((0, 1, 1, 2, 3, MOST_BALLOONS))
    balloons = (0, 1) if dice.chance(0.25) else (1, 0) if dice.chance(0.3) else (count, count)
    return _Cast(guests, balloons, dice.pick(tuple(COLOURS)))


def _guests(seed: int, cast: _Cast, balloons: int) -> Act:
    """Return an act that paints people who stand, and balloons, each in a slot of its own."""

    def act(pen: Pen) -> None:
        dice = Dice(seed, GUEST_STREAM)
        order = np.argsort([dice.roll() for _ in range(SLOTS)]).tolist()
        middles = [(slot + 0.5) * WORLD_WIDTH / SLOTS + dice.between(-0.3, 0.3) for slot in order]
        for x in middles[:MOST_GUESTS]:
            y, height, who = dice.between(7.9, 8.8), dice.between(4.4, 5.6), people.look(dice)
            if x in middles[: cast.guests]:
                people.stand(pen, x, y, height, who)
        for index, x in enumerate(middles[MOST_GUESTS:]):
            y, size = dice.between(2.0, 6.0), dice.between(0.85, 1.05)
            colour = vary(dice, COLOURS[cast.colour], 8)
            if index < balloons:
                _balloon(pen, x, y, size, colour)

    return act


def _balloon(pen: Pen, x: float, y: float, size: float, colour: Colour) -> None:
    with pen.thing(BALLOON):
        pen.line(((x, y), (x, y + 2.2 * size)), 0.08, DARK)
        pen.disc(x, y, 1.1 * size, DARK, height=1.25 * size)
        pen.disc(x, y, size, colour, height=1.15 * size)
        pen.disc(x - 0.35 * size, y - 0.45 * size, 0.2 * size, shade(colour, 1.4))


def _degraded(frame: NDArray[np.uint8], dice: Dice) -> NDArray[np.uint8]:
    """Return the frame squashed to the tower's square, with losses that a video's frames have."""
    image = Image.fromarray(frame)
    if dice.chance(0.25):
        image = image.filter(ImageFilter.GaussianBlur(dice.between(0.2, 0.8)))
    if dice.chance(0.5):
        jpeg = io.BytesIO()
        image.save(jpeg, "jpeg", quality=dice.count(35, 90))
        image = Image.open(jpeg).convert("RGB")
    side = (IMAGE_SIZE_PX, IMAGE_SIZE_PX)
    return np.asarray(image.resize(side, Image.Resampling.BICUBIC), np.uint8)
