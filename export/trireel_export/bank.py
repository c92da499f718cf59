# SPDX-License-Identifier: Apache-2.0
"""The text bank of an export: lists of tags and descriptions, read and embedded."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from trireel_export.errors import BadList
from trireel_schema.errors import SchemaError
from trireel_schema.prompts import BARE, in_prompt
from trireel_schema.text_lists import read_text_list
from trireel_schema.texts import TextBank, TextSet, write_text_bank

if TYPE_CHECKING:
    from trireel_export.siglip.checkpoint import Checkpoint

LISTS = Path(__file__).parent / "lists"
DEFAULT_TAGS = LISTS / "tags.txt"
DEFAULT_DESCRIPTIONS = LISTS / "descriptions.txt"
TEXTS_A_STEP = 4096  # texts between reports of progress; a large checkpoint needs minutes for them


def read_list(path: Path, progress: Callable[[str], None] = lambda step: None) -> tuple[str, ...]:
    """Return the texts of a file, one a line, each once; see `read_text_list`.

    Args:
        progress: called with a sentence for each line that repeats another one.

    Raises:
        BadList: if there is no such file, or it has no texts.
    """
    try:
        read = read_text_list(path)
    except SchemaError as error:
        raise BadList(str(error)) from error
    for remark in read.remarks:
        progress(remark)
    return read.texts


def write_bank(
    checkpoint: "Checkpoint",
    tags: tuple[str, ...],
    descriptions: tuple[str, ...],
    path: Path,
    progress: Callable[[str], None],
    *,
    tag_prompt: str = BARE,
) -> None:
    """Embed the texts, and write the bank.

    Args:
        tag_prompt: sentence that every tag stands in when it is embedded.
        progress: called with a sentence after each part of a long list.
    """
    bank = TextBank(
        TextSet(tags, _embeddings(checkpoint, in_prompt(tag_prompt, tags), "tags", progress)),
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
