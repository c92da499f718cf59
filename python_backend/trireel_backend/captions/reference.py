# SPDX-License-Identifier: Apache-2.0
"""The picture of a line of text, and whether another frame shows the same line.

Only the edges of strokes count: the picture's strong gradients, without those that moved from one
sample to the next. A frame agrees as far as its gradients at these pixels are the same: 1 for the
same line, about 0 for another picture, and half for a line of half opacity.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.captions.strokes import LEAST_CONTRAST, contrast, gradients, grown, lasting

Box = NDArray[np.int32]
"""[4] x1 y1 x2 y2 in pixels of the region; x2 and y2 are outside."""

PRESENT = 0.47
"""Smallest agreement of a frame that shows the line: half opacity, less some noise."""
TILE_PRESENT = 0.3
"""Smallest agreement of a tile, about half a letter, if the text is the same."""
TILE_DROP = 0.3
"""Drop of a tile's agreement, below that in all other samples of the line, if a letter changes."""
LEAST_FAILED = 2
"""Fewest tiles in which a letter changes; tiles overlap by half."""
TILES_PER_LINE = 3
"""Tiles in the height of a line."""
LEAST_TILE_SHARE = 0.35
"""Edges of a tile that counts, as a share of the mean tile with edges."""
LEAST_TILE_PX = 6
SAME_LUMA = 20
"""Largest difference in luma of a pixel that stays the same; video codecs add some noise."""
SAME_COLOURS = 0.7
"""Share of a tile's steady pixels that stay the same if its text does."""
LEAST_LASTING = 0.25
"""Share of edges that must stay between two samples; otherwise all edges count."""


@dataclass(frozen=True)
class Reference:
    """The picture of a line."""

    box: NDArray[np.int32]
    """[4] x1 y1 x2 y2 in pixels of the region; x2 and y2 are outside."""
    gradients: NDArray[np.int16]
    """[2, h, w] gradients inside the box."""
    mask: NDArray[np.bool_]
    """[h, w] edges of strokes."""
    brightness: NDArray[np.int16]
    """[h, w] luma inside the box."""
    steady: NDArray[np.bool_]
    """[h, w] pixels at edges whose luma stays between samples: the inside of strokes."""

    @property
    def sharpness(self) -> float:
        """Sum of the gradients' squares at the edges; the sharper of two frames has more."""
        return float(_products(self.gradients, self.gradients)[self.mask].sum())

    def __post_init__(self) -> None:
        height, width = self.box[[3, 2]] - self.box[[1, 0]] if self.box.shape == (4,) else (0, 0)
        shapes = {part.shape for part in (self.mask, self.brightness, self.steady)}
        if self.gradients.shape != (2, height, width) or shapes != {(height, width)}:
            raise ValueError("the picture of a line does not fill its box")  # from outside


@dataclass(frozen=True)
class Agreement:
    """How far a frame agrees with a reference."""

    total: float
    """Agreement of the whole line, -1 to 1."""
    tiles: NDArray[np.float32]
    """[rows, columns] agreement of each tile; 1 if a tile has too few edges to count."""
    colours: NDArray[np.float32]
    """[rows, columns] share of each tile's steady pixels that have the same luma."""

    @property
    def is_present(self) -> bool:
        """Whether most of the text is there."""
        return self.total >= PRESENT

    def failed(self, lowest: NDArray[np.float32] | None = None) -> NDArray[np.bool_]:
        """Return [rows, columns] which tiles show something else; none if fewer than two do.

        All tiles of a line that fades are weak. White letters lose their edges before a white
        background, but keep their colour.

        Args:
            lowest: agreement of each tile in other samples of the line, at the least.
        """
        scale = min(1.0, self.total)
        failed = (self.tiles < TILE_PRESENT * scale) & (self.colours < SAME_COLOURS)
        if lowest is not None:
            failed |= self.tiles < (lowest - TILE_DROP) * scale
        return failed if np.count_nonzero(failed) >= LEAST_FAILED else np.zeros_like(failed)

    def is_same(self, lowest: NDArray[np.float32] | None = None) -> bool:
        """Return whether the frame shows the same text; arguments as of `failed`."""
        return self.is_present and not self.failed(lowest).any()


def crop(brightness: NDArray[np.int16], box: Box) -> NDArray[np.int16]:
    """Return the part of a picture [H, W] inside a box."""
    x1, y1, x2, y2 = box.tolist()
    return brightness[y1:y2, x1:x2]


def make_reference(
    box: Box, picture: NDArray[np.int16], neighbours: Sequence[NDArray[np.int16]]
) -> Reference:
    """Make the reference of a line.

    Args:
        picture: [h, w] luma of the box.
        neighbours: the same box in samples before or after, in which the line may be, too.
    """
    edges = gradients(picture)
    size = contrast(edges)
    mask = size >= LEAST_CONTRAST
    masks = [lasting(gradients(other), edges, size) for other in neighbours]
    # The neighbour that agrees best shows the line; another may be of the time before it.
    best = max(range(len(masks)), key=lambda index: np.count_nonzero(masks[index]), default=None)
    steady = np.zeros_like(mask)
    if best is not None:
        if np.count_nonzero(masks[best]) >= LEAST_LASTING * np.count_nonzero(mask):
            mask = masks[best]
        steady = (np.abs(picture - neighbours[best]) <= SAME_LUMA) & grown(mask)
    return Reference(box, edges, mask, picture, steady)


def sharpness(reference: Reference, picture: NDArray[np.int16]) -> float:
    """Return the sharpness of a picture [h, w] at the reference's edges."""
    edges = gradients(picture)
    return float(_products(edges, edges)[reference.mask].sum())


def agreement(reference: Reference, picture: NDArray[np.int16]) -> Agreement:
    """Compare the box in another frame, luma [h, w], with the reference."""
    edges = gradients(picture)
    norms = _products(reference.gradients, reference.gradients) * reference.mask
    dots = np.clip(_products(reference.gradients, edges) * reference.mask, -norms, norms)
    whole = float(norms.sum())
    total = float(dots.sum()) / whole if whole else 0.0
    same = np.abs(reference.brightness - picture) <= SAME_LUMA
    return Agreement(total, _tiles(dots, norms), _colours(same, reference.steady))


def mean_of_tiles(compared: Agreement, tiles: NDArray[np.bool_]) -> float:
    """Return the mean agreement of some tiles, or of the whole line if there are none."""
    return float(compared.tiles[tiles].mean()) if tiles.any() else compared.total


def _products(first: NDArray[np.int16], second: NDArray[np.int16]) -> NDArray[np.float32]:
    dots = first.astype(np.float32) * second
    return np.asarray(dots[0] + dots[1], np.float32)


def _colours(same: NDArray[np.bool_], steady: NDArray[np.bool_]) -> NDArray[np.float32]:
    side_px = _tile_side_px(same.shape[0])
    parts, wholes = (_tile_sums(values, side_px) for values in (same & steady, steady))
    # A tile of few steady pixels says nothing of colours.
    return np.asarray(parts / np.maximum(wholes, side_px), np.float32)


def _tile_side_px(height_px: int) -> int:
    return max(LEAST_TILE_PX, round(height_px / TILES_PER_LINE))


def _tiles(dots: NDArray[np.float32], norms: NDArray[np.float32]) -> NDArray[np.float32]:
    side_px = _tile_side_px(dots.shape[0])
    parts, wholes = (_tile_sums(values, side_px) for values in (dots, norms))
    filled = wholes[wholes > 0]
    least = LEAST_TILE_SHARE * float(filled.mean()) if len(filled) else 1.0
    shares = parts / np.maximum(wholes, 1.0)
    return np.asarray(np.where(wholes >= least, shares, 1.0), np.float32)


def _tile_sums(
    values: NDArray[np.float32] | NDArray[np.bool_], side_px: int
) -> NDArray[np.float64]:
    """Return the sums of tiles that overlap by half."""
    step_px = side_px // 2
    sums = np.zeros((values.shape[0] + 1, values.shape[1] + 1))
    np.cumsum(np.cumsum(values, axis=0, dtype=np.float64), axis=1, out=sums[1:, 1:])
    tops, lefts = (_starts(length, side_px, step_px) for length in values.shape)
    bottoms, rights = tops + side_px, lefts + side_px
    bottoms[-1], rights[-1] = values.shape
    inner = sums[np.ix_(bottoms, rights)] - sums[np.ix_(tops, rights)]
    return np.asarray(inner - sums[np.ix_(bottoms, lefts)] + sums[np.ix_(tops, lefts)])


def _starts(length: int, side_px: int, step_px: int) -> NDArray[np.int64]:
    return np.arange(0, max(1, length - side_px + 1), step_px)
