# SPDX-License-Identifier: Apache-2.0
"""`text_bank.npz`: texts and their embeddings, which a server compares pictures with by default."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_schema.arrays import WEIGHTS, read_arrays_of_weights, require_shape
from trireel_schema.errors import InvalidValue
from trireel_schema.metadata import Metadata


@dataclass(frozen=True)
class TextSet:
    """Texts and their embeddings: one list of a bank, or the free texts of a request."""

    texts: tuple[str, ...]
    """At least one text."""
    embeddings: NDArray[np.float32]
    """[m, D] unit length, one embedding a text."""

    def __post_init__(self) -> None:
        """Check that there is one embedding a text; raises InvalidValue."""
        if self.embeddings.ndim != 2 or len(self.embeddings) != len(self.texts) or not self.texts:
            raise InvalidValue(
                f"got {len(self.texts)} texts and embeddings {self.embeddings.shape}:"
                " a text set needs one embedding [D] a text and at least one text"
            )

    def cosines(
        self, embeddings: NDArray[np.float32], k: int
    ) -> list[tuple[NDArray[np.intp], NDArray[np.float32]]]:
        """Return indices of texts, in order, and their cosines for each of `embeddings` [q, D].

        The `k` best texts are among them, and all texts that equal the last of these.
        """
        every = np.arange(len(self.texts))
        return [(every, self.embeddings @ embedding) for embedding in embeddings]


@dataclass(frozen=True)
class TextBank:
    """The texts that a chunk is compared with if the request brings none."""

    tags: TextSet
    """Short names of places and things."""
    descriptions: TextSet
    """Sentences, of which the best is the caption."""


def write_text_bank(bank: TextBank, weights_sha256: str, path: Path) -> None:
    """Write a bank that was embedded with the weights of this hash."""
    np.savez(
        path,
        tag_texts=np.array(bank.tags.texts),
        tag_embeddings=bank.tags.embeddings,
        description_texts=np.array(bank.descriptions.texts),
        description_embeddings=bank.descriptions.embeddings,
        **{WEIGHTS: np.array(weights_sha256)},
    )


def read_text_bank(path: Path, metadata: Metadata) -> TextBank:
    """Read the bank of an export.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it lacks an array, or has an array of another dtype or shape.
        WeightsMismatch: if it was made for other weights.
    """
    names = ("tag_texts", "tag_embeddings", "description_texts", "description_embeddings")
    arrays = read_arrays_of_weights(path, names, metadata)
    sets = []
    for kind in ("tag", "description"):
        texts, embeddings = arrays[f"{kind}_texts"], arrays[f"{kind}_embeddings"]
        shape = (max(1, texts.size), metadata.embedding_dim)
        require_shape(path, f"{kind}_embeddings", embeddings, np.float32, shape)
        sets.append(TextSet(tuple(texts.tolist()), embeddings))
    return TextBank(*sets)
