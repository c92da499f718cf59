# SPDX-License-Identifier: Apache-2.0
"""Whether a tower of reduced precision, or an engine built of it, still sees what fp32 sees.

A plain fp16 engine of a SigLIP loads, runs and answers with unit vectors of the wrong direction:
only a comparison with the checkpoint's own embeddings shows it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import KnownPictures
from trireel_backend.errors import GateFailed
from trireel_backend.ranking.scoring import TextSet

LEAST_COSINE = 0.999
TIE = 0.05
"""Texts may change places whose fp32 cosines to a picture are this close, as a share of the
standard deviation of all cosines between known pictures and texts: checkpoints differ in scale."""

MOST_APART = 1e-5
"""Length of the difference of a picture's embeddings in two batches, so that none of its cosines to
texts of unit length differs by more."""


@dataclass(frozen=True)
class GateReport:
    """How closely a tower that passed follows the checkpoint."""

    pictures: int
    worst_picture: str
    worst_cosine: float
    """Between the worst picture's embedding and the checkpoint's own."""
    widest_swap: float
    """Largest fp32 difference of two texts' cosines that came out in the other order, in standard
    deviations of all cosines; 0 where the order is that of fp32."""


def check_gate(
    known: KnownPictures, embeddings: NDArray[np.float32], texts: Sequence[TextSet]
) -> GateReport:
    """Compare a tower's embeddings [N, D] of the known pictures with the checkpoint's own.

    Args:
        texts: banks whose order of retrieval must be kept, at least one.

    Raises:
        GateFailed: a cosine below LEAST_COSINE, or two texts in another order than fp32 has
            them though they are further apart than TIE allows. The message names the worst picture.
    """
    if embeddings.shape != known.embeddings.shape:
        raise GateFailed(
            f"the tower answered {list(embeddings.shape)} for {len(known.names)} known pictures,"
            f" the checkpoint's embeddings are {list(known.embeddings.shape)}"
        )
    cosines = (embeddings * known.embeddings).sum(axis=1, dtype=np.float64)
    worst = int(np.argmin(cosines))  # a NaN counts as the smallest
    if not cosines[worst] >= LEAST_COSINE:
        raise GateFailed(
            f"the embedding of {known.names[worst]!r} has cosine {cosines[worst]:.6f} to the"
            f" checkpoint's own in fp32, at least {LEAST_COSINE} is needed"
        )
    widest = max(_widest_swap(known, embeddings, bank) for bank in texts)
    return GateReport(len(known.names), known.names[worst], float(cosines[worst]), widest)


def check_alike(known: KnownPictures, embeddings: NDArray[np.float32]) -> None:
    """Compare a tower's embeddings [N, D] of pictures with those it gave them in other batches.

    Raises:
        GateFailed: one differs by more than MOST_APART; the message names its picture.
    """
    apart = np.linalg.norm(embeddings.astype(np.float64) - known.embeddings, axis=1)
    worst = int(np.argmax(apart))  # a NaN counts as the largest
    if not apart[worst] <= MOST_APART:
        raise GateFailed(
            f"the embedding of {known.names[worst]!r} differs by {apart[worst]:.1e} between batches"
            f" of different sizes, at most {MOST_APART:.0e} is allowed"
        )


def _widest_swap(known: KnownPictures, got: NDArray[np.float32], bank: TextSet) -> float:
    reference = known.embeddings @ bank.embeddings.T
    order = np.argsort(-(got @ bank.embeddings.T), axis=1, kind="stable")
    ranked = np.take_along_axis(reference, order, axis=1)
    # What stands behind a text must not be better than it in fp32.
    best_from_here = np.maximum.accumulate(ranked[:, ::-1], axis=1)[:, ::-1]
    swaps = (best_from_here - ranked) / reference.std()
    picture, place = np.unravel_index(np.argmax(swaps), swaps.shape)
    widest = float(swaps[picture, place])
    if widest > TIE:
        behind = order[picture, place + np.argmax(ranked[picture, place:])]
        raise GateFailed(
            f"for {known.names[picture]!r} the text {bank.texts[order[picture, place]]!r} comes out"
            f" before {bank.texts[behind]!r}, which is nearer in fp32 by {widest:.3f} standard"
            f" deviations: only texts within {TIE} may change places"
        )
    return widest
