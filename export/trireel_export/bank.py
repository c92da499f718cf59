# SPDX-License-Identifier: Apache-2.0
"""The text bank of an export: lists of tags and descriptions, read and embedded."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trireel_export.errors import BadList
from trireel_schema.texts import TextBank, TextSet, write_text_bank

if TYPE_CHECKING:
    from trireel_export.siglip.checkpoint import Checkpoint

LISTS = Path(__file__).parent / "lists"
DEFAULT_TAGS = LISTS / "tags.txt"
DEFAULT_DESCRIPTIONS = LISTS / "descriptions.txt"
TEXTS_A_STEP = 4096  # texts between reports of progress; a large checkpoint needs minutes for them


def read_list(path: Path) -> tuple[str, ...]:
    """Return the texts of a UTF-8 file, one a line.

    Raises:
        BadList: if there is no such file, it has no lines, or a line is empty or there twice.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadList(f"{path} is not a readable UTF-8 text file: {error}") from error
    if not lines:
        raise BadList(f"{path} is empty: give it one text a line")
    first_seen: dict[str, int] = {}
    for number, line in enumerate(lines, start=1):
        # The towers know lower case only: "Park" and "park" would be one tag with two names.
        key = line.strip().lower()
        if not key:
            raise BadList(f"{path}, line {number} is empty: remove it")
        if key in first_seen:
            raise BadList(
                f"{path}, line {number} says the same as line {first_seen[key]},"
                f" {line.strip()!r}: remove one"
            )
        first_seen[key] = number
    return tuple(line.strip() for line in lines)


def write_bank(
    checkpoint: "Checkpoint",
    tags: tuple[str, ...],
    descriptions: tuple[str, ...],
    path: Path,
    progress: Callable[[str], None],
) -> None:
    """Embed the texts without a prompt around them, and write the bank.

    Args:
        progress: called with a sentence after each part of a long list.
    """
    bank = TextBank(
        TextSet(tags, _embeddings(checkpoint, tags, "tags", progress)),
        TextSet(descriptions, _embeddings(checkpoint, descriptions, "descriptions", progress)),
    )
    write_text_bank(bank, checkpoint.weights_sha256, path)


def _embeddings(
    checkpoint: "Checkpoint", texts: tuple[str, ...], kind: str, progress: Callable[[str], None]
) -> NDArray[np.float32]:
    parts = []
    for start in range(0, len(texts), TEXTS_A_STEP):
        if start:
            progress(f"{start:,} of {len(texts):,} {kind}")
        parts.append(checkpoint.embed_texts(texts[start : start + TEXTS_A_STEP]))
    return np.concatenate(parts)
