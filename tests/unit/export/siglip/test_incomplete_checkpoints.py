# SPDX-License-Identifier: Apache-2.0
"""Checkpoint folders that lack a class or a file: loaded as the whole one, or one sentence."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from trireel_export.errors import CheckpointNotLoaded
from trireel_export.siglip.checkpoint import load_checkpoint
from trireel_export.siglip.tokenizer import build_tokenizer

TINY = Path(__file__).parents[4] / "export/tiny/checkpoint"
TEXTS = ["A person in a kitchen", "beach"]
CONFIGS = ("processor_config.json", "preprocessor_config.json", "tokenizer_config.json")

Change = Callable[[Path], None]


def changed(name: str, **values: object) -> Change:
    """Return a change of a JSON file's values; None removes one."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text()) | values
        kept = {key: value for key, value in content.items() if value is not None}
        (folder / name).write_text(json.dumps(kept))

    return change


def without(*names: str) -> Change:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return change


def containing(name: str, content: str) -> Change:
    def change(folder: Path) -> None:
        (folder / name).write_text(content)

    return change


def both(*changes: Change) -> Change:
    def change(folder: Path) -> None:
        for one in changes:
            one(folder)

    return change


NO_PROCESSOR_CLASS = both(*(changed(name, processor_class=None) for name in CONFIGS))
NO_TOKENIZER_CLASS = changed("tokenizer_config.json", tokenizer_class=None)


@pytest.mark.parametrize(
    "change",
    [
        NO_PROCESSOR_CLASS,
        NO_TOKENIZER_CLASS,
        both(NO_PROCESSOR_CLASS, NO_TOKENIZER_CLASS),
        both(NO_PROCESSOR_CLASS, NO_TOKENIZER_CLASS, without("processor_config.json")),
        without("preprocessor_config.json"),
        without("tokenizer_config.json"),
        changed("processor_config.json", processor_class="MyProcessor"),
        changed("tokenizer_config.json", tokenizer_class="MyTokenizer"),
        both(
            changed("preprocessor_config.json", image_processor_type=None),
            without("processor_config.json"),
        ),
    ],
)
def test_a_missing_or_unknown_class_changes_nothing(tmp_path: Path, change: Change) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(TINY, folder)
    change(folder)
    whole, loaded = load_checkpoint(str(TINY)), load_checkpoint(str(folder))
    np.testing.assert_array_equal(loaded.token_ids(TEXTS), whole.token_ids(TEXTS))
    assert loaded.normalisation == whole.normalisation
    ids = [encoded.ids for encoded in build_tokenizer(loaded).encode_batch(TEXTS)]
    np.testing.assert_array_equal(ids, whole.token_ids(TEXTS))


SENTENCEPIECE = changed("tokenizer_config.json", tokenizer_class="SiglipTokenizer")
GEMMA = changed("tokenizer_config.json", tokenizer_class="GemmaTokenizer")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (SENTENCEPIECE, r"SiglipTokenizer, which reads spiece\.model, but that file is missing"),
        (both(SENTENCEPIECE, without("tokenizer.json")), "lacks its tokenizer's files"),
        (both(GEMMA, without("tokenizer.json")), "lacks its tokenizer's files"),
        (without("tokenizer.json"), "lacks its tokenizer's files: copy tokenizer.json or"),
        (without("tokenizer.json", "tokenizer_config.json"), "lacks its tokenizer's files"),
        (
            both(without("tokenizer_config.json"), changed("tokenizer.json", padding=None)),
            "its tokenizer has no pad_token: name it in",
        ),
        (containing("tokenizer_config.json", "[]"), "tokenizer_config.json is not a JSON object"),
        (containing("tokenizer.json", "{}"), "its tokenizer does not load: "),
        (without(*CONFIGS[:2]), "its image processor does not load from preprocessor_config.json"),
        (
            both(containing("preprocessor_config.json", "[]"), without("processor_config.json")),
            "its image processor does not load",
        ),
        (containing("config.json", "[]"), "does not load as a Hugging Face folder"),
        (containing("model.safetensors", "version https://git-lfs"), "does not load as a Hugging"),
    ],
)
def test_a_missing_file_is_named_in_one_sentence(
    tmp_path: Path, change: Change, message: str
) -> None:
    folder = tmp_path / "checkpoint"
    shutil.copytree(TINY, folder)
    change(folder)
    with pytest.raises(CheckpointNotLoaded, match=message) as refusal:
        load_checkpoint(str(folder))
    assert len(str(refusal.value).splitlines()) == 1
