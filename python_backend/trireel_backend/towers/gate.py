# SPDX-License-Identifier: Apache-2.0
"""The gate of a served tower: the comparison that every export runs, with the server's error."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from trireel_backend.errors import GateFailed
from trireel_schema import gate
from trireel_schema.errors import TowerDiffers
from trireel_schema.gate import GateReport
from trireel_schema.pictures import KnownPictures
from trireel_schema.texts import TextSet


def check_gate(
    known: KnownPictures, embeddings: NDArray[np.float32], texts: Sequence[TextSet]
) -> GateReport:
    """Compare embeddings [N, D] with the checkpoint's own; raises GateFailed if they differ."""
    with _gate_failures():
        return gate.check_gate(known, embeddings, texts)


def check_alike(known: KnownPictures, embeddings: NDArray[np.float32]) -> None:
    """Compare embeddings [N, D] from batches of two sizes; raises GateFailed if they differ."""
    with _gate_failures():
        gate.check_alike(known, embeddings)


@contextmanager
def _gate_failures() -> Iterator[None]:
    try:
        yield
    except TowerDiffers as error:
        raise GateFailed(str(error)) from error
