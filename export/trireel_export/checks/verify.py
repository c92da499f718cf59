# SPDX-License-Identifier: Apache-2.0
"""Compares an export with the checkpoint's own processor and towers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from trireel_export.errors import (
    ConstantEmbeddings,
    EmbeddingsDiffer,
    NotUnitLength,
    TokensDiffer,
)
from trireel_export.siglip.checkpoint import Checkpoint
from trireel_export.siglip.precision import LEAST_COSINE_FP32
from trireel_schema.gate import CONSTANT_COSINE
from trireel_schema.vectors import paired_cosines

RunTower = Callable[[NDArray[Any]], NDArray[np.float32]]

NORM_TOLERANCE = 1e-4
# Number of items for each batch size; None stands for all.
ITEMS_BY_BATCH_SIZE: dict[int, int | None] = {1: 4, 3: 6, 16: None}


@dataclass(frozen=True)
class Items:
    """Pictures or sentences that a tower is checked with."""

    kind: str
    """Plural noun for messages: "pictures" or "sentences"."""
    names: Sequence[str]
    rows: NDArray[Any]
    """The tower's input, one row a name."""
    reference: NDArray[np.float32]
    """The checkpoint's own embeddings [len(names), D], unit length."""


@dataclass(frozen=True)
class Check:
    """A comparison that passed, and how closely."""

    subject: str
    """Items and batch size, such as "pictures, batch 3"."""
    compared_with: str
    """Origin of the other embeddings: the checkpoint, or batches of another size."""
    worst_item: str
    """Name of the item with the smallest cosine."""
    cosine: float
    """Cosine of the worst item."""


@dataclass(frozen=True)
class CheckedTower:
    """Results of a tower that passed."""

    checks: list[Check]
    """Comparisons with the checkpoint and between batch sizes."""
    embeddings: NDArray[np.float32]
    """[N, D] embeddings of all items, from batches of the largest size."""


def check_tokens(tokenizer: Tokenizer, checkpoint: Checkpoint, sentences: Sequence[str]) -> None:
    """Raise TokensDiffer, naming the worst sentence, unless all ids are the processor's."""
    expected = checkpoint.token_ids(sentences)
    got = token_ids(tokenizer, sentences)
    if got.shape != expected.shape:
        raise TokensDiffer(
            f"tokenizer.json gives ids of shape {list(got.shape)}, the checkpoint's processor"
            f" {list(expected.shape)}"
        )
    different = (got != expected).sum(axis=1)
    if different.any():
        worst = int(np.argmax(different))
        raise TokensDiffer(
            f"tokenizer.json reads {sentences[worst]!r} differently from the checkpoint's"
            f" processor: {different[worst]} of {expected.shape[1]} ids differ,"
            f" {got[worst, :12].tolist()}... instead of {expected[worst, :12].tolist()}..."
        )


def token_ids(tokenizer: Tokenizer, texts: Sequence[str]) -> NDArray[np.int64]:
    """Return the ids [N, L] that a server computes."""
    return np.array([encoded.ids for encoded in tokenizer.encode_batch(list(texts))], np.int64)


def check_tower(
    run: RunTower, items: Items, *, least_cosine: float = LEAST_COSINE_FP32
) -> CheckedTower:
    """Run the items in batches of several sizes and compare each with the reference.

    Args:
        run: the exported tower, a batch of rows -> embeddings [N, D].
        least_cosine: smallest cosine to the reference; between batches it is LEAST_COSINE_FP32.

    Raises:
        EmbeddingsDiffer: if a cosine to the reference is below `least_cosine`, or one between
            batches is below LEAST_COSINE_FP32.
        NotUnitLength: if an embedding is not normalised.
        ConstantEmbeddings: if no two items differ.
    """
    runs = [_run_in_batches(run, items, size) for size in ITEMS_BY_BATCH_SIZE]
    checks = [
        _compare(batches, "the checkpoint", items.reference, least_cosine) for batches in runs
    ]
    *smaller, largest = runs
    other = f"batches of {largest.batch_size}"
    checks += [
        _compare(batches, other, largest.embeddings, LEAST_COSINE_FP32) for batches in smaller
    ]
    _check_spread(largest)
    return CheckedTower(checks, largest.embeddings)


@dataclass(frozen=True)
class _Batches:
    """Embeddings of some items in batches of one size."""

    items: Items
    batch_size: int
    chosen: NDArray[np.intp]
    """[n] indices of the items."""
    embeddings: NDArray[np.float32]
    """[n, D] embeddings of these items."""

    @property
    def subject(self) -> str:
        return f"{self.items.kind}, batch {self.batch_size}"

    def name(self, row: np.intp) -> str:
        return self.items.names[int(self.chosen[row])]


def _run_in_batches(run: RunTower, items: Items, batch_size: int) -> _Batches:
    total = len(items.names)
    # Spread out, so that an item is batched with other items at every size.
    chosen = np.linspace(0, total - 1, ITEMS_BY_BATCH_SIZE[batch_size] or total).astype(np.intp)
    starts = range(0, len(chosen), batch_size)
    found = np.concatenate([run(items.rows[chosen[at : at + batch_size]]) for at in starts])
    batches = _Batches(items, batch_size, chosen, found)
    if found.shape != items.reference[chosen].shape:
        raise EmbeddingsDiffer(
            f"{batches.subject}: embeddings of shape {list(found.shape)} instead of"
            f" {list(items.reference[chosen].shape)}"
        )
    _check_lengths(batches)
    return batches


def _check_lengths(batches: _Batches) -> None:
    off = np.abs(np.linalg.norm(batches.embeddings, axis=1) - 1)
    worst = np.argmax(off)  # a NaN counts as the largest
    if not off[worst] <= NORM_TOLERANCE:
        length = np.linalg.norm(batches.embeddings[worst])
        raise NotUnitLength(
            f"{batches.subject}: the embedding of {batches.name(worst)!r} has length {length:.6f}"
            " instead of 1" + (": a value overflows, take bf16 or fp32" if np.isnan(length) else "")
        )


def _compare(
    batches: _Batches, other: str, embeddings: NDArray[np.float32], least_cosine: float
) -> Check:
    """Compare with embeddings [all items, D]; raise EmbeddingsDiffer below `least_cosine`."""
    cosines = paired_cosines(batches.embeddings, embeddings[batches.chosen])
    worst = np.argmin(cosines)
    cosine, name = float(cosines[worst]), batches.name(worst)
    if not cosine >= least_cosine:
        raise EmbeddingsDiffer(
            f"{batches.subject}: the worst is {name!r} with cosine {cosine:.6f} to {other},"
            f" at least {least_cosine} is needed"
        )
    return Check(batches.subject, other, name, cosine)


def _check_spread(batches: _Batches) -> None:
    alike = batches.embeddings @ batches.embeddings.T
    if not alike.min() <= CONSTANT_COSINE:
        one, other = np.unravel_index(np.argmin(alike), alike.shape)
        raise ConstantEmbeddings(
            f"{batches.subject}: all embeddings are alike; even {batches.name(one)!r} and"
            f" {batches.name(other)!r} have cosine {alike[one, other]:.4f}"
        )
