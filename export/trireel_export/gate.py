# SPDX-License-Identifier: Apache-2.0
"""`gate.npz`: known pictures that every served tower of this export is compared with.

The comparison is the server's own, so that an export passes here exactly when the same embeddings
would pass there.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import (
    GATE_FILE,
    METADATA_FILE,
    TEXT_BANK_FILE,
    load_gate,
    load_metadata,
    load_text_bank,
)
from trireel_backend.errors import GateFailed
from trireel_backend.towers.gate import check_gate
from trireel_export.errors import RetrievalDiffers
from trireel_export.verify import Check, Items


def write_gate(known: Items, weights_sha256: str, path: Path) -> None:
    """Write the pictures [N, S, S, 3] and the checkpoint's own embeddings [N, D] of them."""
    np.savez_compressed(
        path,
        names=np.array(known.names),
        frames=known.rows,
        embeddings=known.reference,
        weights_sha256=np.array(weights_sha256),
    )


def check_retrieval(embeddings: NDArray[np.float32], folder: Path) -> Check:
    """Compare an exported tower's embeddings [N, D] of the known pictures as a server would.

    Raises:
        RetrievalDiffers: the texts of the bank come in another order than with the checkpoint.
    """
    metadata = load_metadata(folder / METADATA_FILE)
    bank = load_text_bank(folder / TEXT_BANK_FILE, metadata)
    known = load_gate(folder / GATE_FILE, metadata)
    try:
        report = check_gate(known, embeddings, (bank.tags, bank.descriptions))
    except GateFailed as error:
        raise RetrievalDiffers(str(error)) from error
    subject = f"order of texts, swaps of {report.widest_swap:.3f} sd"
    return Check(subject, "the checkpoint", report.worst_picture, report.worst_cosine)
