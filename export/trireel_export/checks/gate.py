# SPDX-License-Identifier: Apache-2.0
"""The gate: known pictures that every served tower of this export is compared with."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_export.checks.verify import Check
from trireel_export.errors import RetrievalDiffers
from trireel_schema.errors import TowerDiffers
from trireel_schema.files import TEXT_BANK_FILE
from trireel_schema.gate import check_gate
from trireel_schema.metadata import Metadata
from trireel_schema.pictures import KnownPictures
from trireel_schema.texts import read_text_bank


def check_retrieval(
    embeddings: NDArray[np.float32], known: KnownPictures, metadata: Metadata, folder: Path
) -> Check:
    """Compare an exported tower's embeddings [N, D] of the known pictures as a server would.

    Args:
        folder: the export, of which the text bank is read.

    Raises:
        RetrievalDiffers: if the texts of the bank come in another order than with the checkpoint.
    """
    bank = read_text_bank(folder / TEXT_BANK_FILE, metadata)
    try:
        report = check_gate(known, embeddings, (bank.tags, bank.descriptions))
    except TowerDiffers as error:
        raise RetrievalDiffers(str(error)) from error
    subject = f"order of texts, swaps of {report.widest_swap:.3f} sd"
    return Check(subject, "the checkpoint", report.worst_picture, report.worst_cosine)
