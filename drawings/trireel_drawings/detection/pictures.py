# SPDX-License-Identifier: Apache-2.0
"""Pictures with boxes: what a detector is trained on and measured with."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from trireel_drawings.detection.extras import scattered
from trireel_drawings.painting.canvas import WORLD_HEIGHT, WORLD_WIDTH, View
from trireel_drawings.painting.dice import Dice
from trireel_drawings.painting.things import Thing
from trireel_drawings.places.register import PAIRS
from trireel_drawings.runs.drawing import draw_pieces
from trireel_drawings.scenes.camera import MAX_NOISE, TINTS
from trireel_drawings.scenes.scene import draw_scene
from trireel_drawings.scenes.travel import Travel

WIDTH_PX, HEIGHT_PX = 256, 160
"""Size of the frames that the drawn detector takes."""
LABELS = (
    "person",
    "car",
    "bus",
    "forklift",
    "cart",
    "screen",
    "laptop",
    "carton",
    "tray",
    "ball",
    "barbell",
    "plate",
    "chair",
    "plant",
    "clock",
    "tree",
    "traffic light",
    "boat",
    "sunshade",
    "sofa",
    "bed",
)
"""Things that the drawn detector finds; the drawn world names a few more."""
LEAST_VISIBLE = 0.2
"""Smallest visible share of a thing that must be found."""
LEAST_SIDE = 0.015
"""Smallest side of a box that must be found, as a share of the picture's."""

PICTURES_PER_JOB = 100
PICTURE_STREAM, EXTRAS_STREAM = 200, 201  # of a scene's dice, see trireel_drawings.scenes.scene
LONGEST_START_SECONDS = 60.0
OVERSAMPLINGS = (1, 2, 2)  # sharp edges are rare in a video that was scaled down


@dataclass(frozen=True)
class Truth:
    """The boxes of one picture."""

    boxes: NDArray[np.float32]
    """[N, 4] left, top, right and bottom as fractions of the picture."""
    labels: NDArray[np.int64]
    """[N] indices into LABELS."""
    hidden: NDArray[np.bool_]
    """[N] True if so little is visible that a detector may find the thing or not."""


@dataclass(frozen=True)
class Pictures:
    """Pictures and their boxes."""

    frames: NDArray[np.uint8]
    """[N, HEIGHT_PX, WIDTH_PX, 3] RGB."""
    truths: tuple[Truth, ...]
    """Boxes of each picture."""


def truth_of(things: Sequence[Thing]) -> Truth:
    """Return the boxes of the things that have one of LABELS."""
    known = [thing for thing in things if thing.label in LABELS]
    boxes = np.array([thing.box for thing in known], np.float32).reshape(-1, 4)
    visible = np.array([thing.visible for thing in known], np.float64)
    sides = (boxes[:, 2:] - boxes[:, :2]).min(axis=1, initial=1.0)
    labels = np.array([LABELS.index(thing.label) for thing in known], np.int64)
    return Truth(boxes, labels, (visible < LEAST_VISIBLE) | (sides < LEAST_SIDE))


def draw_pictures(first_seed: int, count: int, *, workers: int) -> Iterator[Pictures]:
    """Return pieces of the training pictures; scenes of every kind come in turn.

    Args:
        first_seed: Seed of the first scene; the others follow.
        count: Number of pictures.
        workers: Processes that draw.
    """
    return draw_pieces(_draw_piece, first_seed, count, PICTURES_PER_JOB, workers=workers)


def join(pieces: Sequence[Pictures]) -> Pictures:
    """Return the pictures of all pieces."""
    frames = np.concatenate([piece.frames for piece in pieces])
    return Pictures(frames, tuple(truth for piece in pieces for truth in piece.truths))


def plain_pictures(first_seed: int, count: int, step: int = 1) -> Pictures:
    """Draw scenes as they are, smoothly, every `step`-th kind in turn; one seed for each."""
    frames, truths = [], []
    for index in range(count):
        seed = first_seed + index
        start = Dice(seed, PICTURE_STREAM).between(0.0, LONGEST_START_SECONDS)
        scene = draw_scene(seed, *PAIRS[index * step % len(PAIRS)])
        frame, things = scene.observed(start, (WIDTH_PX, HEIGHT_PX), oversampling=3)
        frames.append(frame)
        truths.append(truth_of(things))
    return Pictures(np.stack(frames), tuple(truths))


def training_picture(seed: int, pair: int) -> tuple[NDArray[np.uint8], Truth]:
    """Draw a scene of PAIRS[pair], perhaps with things and a camera that it does not have."""
    dice = Dice(seed, PICTURE_STREAM)
    start = dice.between(0.0, LONGEST_START_SECONDS)
    camera = _camera(dice) if dice.chance(0.4) else None
    extras = scattered((seed, EXTRAS_STREAM)) if dice.chance(0.5) else None
    frame, things = draw_scene(seed, *PAIRS[pair]).observed(
        start,
        (WIDTH_PX, HEIGHT_PX),
        oversampling=dice.pick(OVERSAMPLINGS),
        camera=camera,
        extras=extras,
    )
    return _degraded(frame, dice), truth_of(things)


def _draw_piece(first_seed: int, total: int, start: int) -> Pictures:
    indices = range(start, min(start + PICTURES_PER_JOB, total))
    drawn = [training_picture(first_seed + index, index % len(PAIRS)) for index in indices]
    return Pictures(np.stack([frame for frame, _ in drawn]), tuple(truth for _, truth in drawn))


def _camera(dice: Dice) -> Travel:
    """Return a camera that stands somewhere else, nearer to the scene."""
    zoom = dice.between(0.95, 1.7)
    across = WORLD_WIDTH / 2 + 2.0 - WORLD_WIDTH / 2 / zoom
    down = WORLD_HEIGHT / 2 + 1.0 - WORLD_HEIGHT / 2 / zoom
    view = View(
        centre_x=WORLD_WIDTH / 2 + dice.between(-across, across),
        centre_y=WORLD_HEIGHT / 2 + dice.between(-down, down),
        zoom=zoom,
        mirrored=dice.chance(0.5),
    )
    return Travel(view, view, tint=dice.pick(TINTS), noise=dice.count(0, MAX_NOISE))


def _degraded(frame: NDArray[np.uint8], dice: Dice) -> NDArray[np.uint8]:
    """Return the frame with the losses that frames of a video have."""
    image = Image.fromarray(frame)
    if dice.chance(0.25):
        image = image.filter(ImageFilter.GaussianBlur(dice.between(0.2, 0.9)))
    if dice.chance(0.5):
        jpeg = io.BytesIO()
        image.save(jpeg, "jpeg", quality=dice.count(30, 90))
        image = Image.open(jpeg).convert("RGB")
    return np.asarray(image, np.uint8)
