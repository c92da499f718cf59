# SPDX-License-Identifier: Apache-2.0
"""Whether a tower of reduced precision, or an engine built of it, still sees what fp32 sees.

A plain fp16 engine of a SigLIP loads, runs and answers with unit vectors of the wrong direction:
only a comparison with the checkpoint's own embeddings shows it. Exporter and server make the same
comparison, so that an export passes in one exactly if it passes in the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_schema.errors import TowerDiffers
from trireel_schema.pictures import KnownPictures
from trireel_schema.texts import TextSet
from trireel_schema.vectors import paired_cosines

LEAST_COSINE = 0.999
"""Smallest cosine of a tower's embedding to the checkpoint's own in fp32."""

TIE = 0.05
"""Texts may change places if their fp32 cosines to a picture are this close, as a share of the
standard deviation of all cosines between known pictures and texts: checkpoints differ in scale."""

MOST_APART = 1e-5
"""Largest length of the difference of a picture's embeddings in two batches: none of its cosines to
texts of unit length differs by more."""

CONSTANT_COSINE = 0.99
"""Embeddings are constant if the cosine of two clearly different pictures is above this."""


@dataclass(frozen=True)
class GateReport:
    """How closely a tower that passed follows the checkpoint."""

    pictures: int
    """Number of known pictures."""
    worst_picture: str
    """Name of the picture whose embedding is furthest from the checkpoint's own."""
    worst_cosine: float
    """Cosine between the worst picture's embedding and the checkpoint's own."""
    widest_swap: float
    """Largest fp32 difference of two texts' cosines that came out in the other order, in standard
    deviations of all cosines; 0 if the order is that of fp32."""


def check_gate(
    known: KnownPictures, embeddings: NDArray[np.float32], texts: Sequence[TextSet]
) -> GateReport:
    """Compare a tower's embeddings [N, D] of the known pictures with the checkpoint's own.

    Args:
        texts: text sets whose order of retrieval must be kept, at least one.

    Raises:
        TowerDiffers: if a cosine is below LEAST_COSINE, or two texts that are further apart than
            TIE are in another order than in fp32. The message names the worst picture.
    """
    if embeddings.shape != known.embeddings.shape:
        raise TowerDiffers(
            f"the tower answered {list(embeddings.shape)} for {len(known.names)} known pictures,"
            f" the checkpoint's embeddings are {list(known.embeddings.shape)}"
        )
    found = paired_cosines(embeddings, known.embeddings)
    worst = int(np.argmin(found))  # a NaN counts as the smallest
    if not found[worst] >= LEAST_COSINE:
        raise TowerDiffers(
            f"the embedding of {known.names[worst]!r} has cosine {found[worst]:.6f} to the"
            f" checkpoint's own in fp32, at least {LEAST_COSINE} is needed"
        )
    widest = max(_widest_swap(known, embeddings, text_set) for text_set in texts)
    return GateReport(len(known.names), known.names[worst], float(found[worst]), widest)


def check_alike(known: KnownPictures, embeddings: NDArray[np.float32]) -> None:
    """Compare a tower's embeddings [N, D] of pictures with those of other batch sizes.

    Args:
        known: the pictures, with the tower's embeddings of them in batches of another size.

    Raises:
        TowerDiffers: if an embedding differs by more than MOST_APART; the message names its
            picture.
    """
    apart = np.linalg.norm(embeddings.astype(np.float64) - known.embeddings, axis=1)
    worst = int(np.argmax(apart))  # a NaN counts as the largest
    if not apart[worst] <= MOST_APART:
        raise TowerDiffers(
            f"the embedding of {known.names[worst]!r} differs by {apart[worst]:.1e} between batches"
            f" of different sizes, at most {MOST_APART:.0e} is allowed"
        )


def _widest_swap(known: KnownPictures, got: NDArray[np.float32], text_set: TextSet) -> float:
    reference = known.embeddings @ text_set.embeddings.T
    order = np.argsort(-(got @ text_set.embeddings.T), axis=1, kind="stable")
    ranked = np.take_along_axis(reference, order, axis=1)
    # In fp32 no text may be better than one that comes before it.
    best_from_here = np.maximum.accumulate(ranked[:, ::-1], axis=1)[:, ::-1]
    swaps = (best_from_here - ranked) / reference.std()
    picture, rank = np.unravel_index(np.argmax(swaps), swaps.shape)
    widest = float(swaps[picture, rank])
    if widest > TIE:
        behind = order[picture, rank + np.argmax(ranked[picture, rank:])]
        first, second = text_set.texts[order[picture, rank]], text_set.texts[behind]
        raise TowerDiffers(
            f"for {known.names[picture]!r} the text {first!r} comes out before {second!r}, which is"
            f" nearer in fp32 by {widest:.3f} standard deviations: only texts within {TIE} may"
            " change places"
        )
    return widest
