# SPDX-License-Identifier: Apache-2.0
"""The operator's own tags and descriptions, embedded at the start by the export's text tower."""

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_backend.artifacts import load_metadata, load_text_bank
from trireel_backend.errors import StartupError
from trireel_backend.launch.model_options import OwnTexts
from trireel_backend.system.whole_files import write_whole
from trireel_backend.towers.settings import TowerSettings
from trireel_backend.towers.texts import TextTokenizer, TextTower
from trireel_backend.towers.tower import Tower
from trireel_schema.errors import SchemaError
from trireel_schema.files import (
    METADATA_FILE,
    TEXT_BANK_FILE,
    TEXT_FILE,
    TOKENIZER_FILE,
    cache_folder,
)
from trireel_schema.metadata import Metadata, write_metadata
from trireel_schema.prompts import in_prompt
from trireel_schema.text_lists import read_text_list
from trireel_schema.texts import TextBank, TextSet, write_text_bank

Report = Callable[[str], None]
TEXTS_AT_ONCE = 64
KEPT_BANKS = 16
"""Most banks in the cache: the oldest one is removed when a further one is written."""


def export_with_texts(texts: OwnTexts, export: Path, folder: Path, report: Report) -> Path:
    """Return a folder with the files of an export and a text bank of the operator's texts.

    Args:
        export: output folder of trireel-export.
        folder: new folder for the result.
        report: called with a sentence for each text that is left out or not read to its end.

    Returns:
        `export` itself if there are no texts of the operator.

    Raises:
        MissingPart: if the export is incomplete.
        StartupError: if a list or the prompt cannot be used.
    """
    if texts == OwnTexts():
        return export
    metadata = load_metadata(export / METADATA_FILE)
    bank = load_text_bank(export / TEXT_BANK_FILE, metadata)
    try:
        tags = _read(texts.tags, bank.tags, report)
        descriptions = _read(texts.descriptions, bank.descriptions, report)
        if texts.tag_prompt is not None:
            metadata = replace(metadata, tag_prompt=texts.tag_prompt)
    except SchemaError as error:
        raise StartupError(str(error)) from error
    folder.mkdir()
    for file in export.iterdir():
        if file.name not in (METADATA_FILE, TEXT_BANK_FILE):
            (folder / file.name).symlink_to(file.resolve())
    write_metadata(metadata, folder / METADATA_FILE)
    tokenizer = TextTokenizer(folder / TOKENIZER_FILE)
    sentences = in_prompt(metadata.tag_prompt, tags)
    _report_long_texts(tokenizer, (*sentences, *descriptions), metadata, report)
    kept = cache_folder("banks") / f"{_key(metadata, folder, tags, descriptions)}.npz"
    if kept.is_file():
        (folder / TEXT_BANK_FILE).write_bytes(kept.read_bytes())
        return folder
    settings = TowerSettings(threads=0, providers="CPUExecutionProvider")
    tower = TextTower(Tower(folder / TEXT_FILE, settings), tokenizer)
    made = TextBank(
        TextSet(tags, _embeddings(tower, sentences)),
        TextSet(descriptions, _embeddings(tower, descriptions)),
    )
    write_text_bank(made, metadata.weights_sha256, folder / TEXT_BANK_FILE)
    _keep(folder / TEXT_BANK_FILE, kept)
    return folder


def _read(path: Path | None, own: TextSet, report: Report) -> tuple[str, ...]:
    if path is None:
        return tuple(own.texts)
    read = read_text_list(path)
    for remark in read.remarks:
        report(remark)
    return read.texts


def _report_long_texts(
    tokenizer: TextTokenizer, texts: Sequence[str], metadata: Metadata, report: Report
) -> None:
    for index in tokenizer.too_long(texts):
        report(
            f"the text {texts[index][:60]!r} has more than the {metadata.text_length} tokens that"
            " the checkpoint reads: its end is ignored"
        )


def _embeddings(tower: TextTower, texts: Sequence[str]) -> NDArray[np.float32]:
    parts = [texts[at : at + TEXTS_AT_ONCE] for at in range(0, len(texts), TEXTS_AT_ONCE)]
    return np.concatenate([tower.embed_together([part])[0] for part in parts])


def _key(metadata: Metadata, folder: Path, tags: Sequence[str], descriptions: Sequence[str]) -> str:
    """Return the hash of everything that decides a bank's embeddings."""
    decisive = [metadata.weights_sha256, metadata.opset, metadata.versions, metadata.tag_prompt]
    digest = hashlib.sha256(json.dumps([*decisive, tags, descriptions]).encode())
    digest.update((folder / TOKENIZER_FILE).read_bytes())
    return digest.hexdigest()


def _keep(bank: Path, kept: Path) -> None:
    """Put a bank into the cache; a folder that cannot be written is no fault."""
    with suppress(OSError):
        write_whole(kept.parent, {kept.name: bank.read_bytes()})
        banks = sorted(kept.parent.glob("*.npz"), key=lambda path: path.stat().st_mtime)
        for old in banks[:-KEPT_BANKS]:
            old.unlink(missing_ok=True)
