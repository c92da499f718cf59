# SPDX-License-Identifier: Apache-2.0
"""Loading a checkpoint's image processor and tokenizer, whatever its folder says of their classes.

`AutoProcessor` needs `processor_class` and `tokenizer_class` in the folder's files, which copies
often lack; without them it returns a lone tokenizer, or fails deep inside `transformers`.
"""

import json
from pathlib import Path
from typing import Any

from transformers import (
    AutoImageProcessor,
    AutoTokenizer,
    PreTrainedTokenizerFast,
    SiglipProcessor,
)
from transformers.utils import cached_file

from trireel_export.errors import CheckpointNotLoaded

TOKENIZER_JSON = "tokenizer.json"
TOKENIZER_CONFIG = "tokenizer_config.json"
SENTENCEPIECE_FILES = ("spiece.model", "tokenizer.model")


def load_processor(source: str) -> Any:
    """Return a transformers.SiglipProcessor from a Hugging Face folder or hub name.

    Raises:
        CheckpointNotLoaded: if a file is missing or is not understood.
    """
    try:
        images = AutoImageProcessor.from_pretrained(source)
    except Exception as error:  # also AttributeError and KeyError, for files of another shape
        raise CheckpointNotLoaded(
            f"{source}: its image processor does not load from preprocessor_config.json or"
            f" processor_config.json: {_first_line(error)}"
        ) from error
    return SiglipProcessor(images, _load_tokenizer(source))


def _load_tokenizer(source: str) -> Any:
    _require_tokenizer_files(source)
    try:
        tokenizer = _tokenizer(source)
    except Exception as error:
        raise CheckpointNotLoaded(
            f"{source}: its tokenizer does not load: {_first_line(error)}"
        ) from error
    if getattr(tokenizer, "pad_token", None) is None:
        raise CheckpointNotLoaded(
            f"{source}: its tokenizer has no pad_token: name it in {TOKENIZER_CONFIG}"
        )
    return tokenizer


def _tokenizer(source: str) -> Any:
    # Without a class `transformers` takes SiglipTokenizer, which reads a sentencepiece model alone.
    if _tokenizer_class(source) is None and not _has_any(source, SENTENCEPIECE_FILES):
        return PreTrainedTokenizerFast.from_pretrained(source)
    return AutoTokenizer.from_pretrained(source)


def _require_tokenizer_files(source: str) -> None:
    """Raise CheckpointNotLoaded if the tokenizer has no vocabulary to load.

    Some classes of `transformers` start with an empty one then, and every text gets the same ids.
    """
    if not _has_any(source, (TOKENIZER_JSON, *SENTENCEPIECE_FILES)):
        raise CheckpointNotLoaded(
            f"{source} lacks its tokenizer's files: copy {TOKENIZER_JSON} or"
            f" {SENTENCEPIECE_FILES[0]} and {TOKENIZER_CONFIG} from the published checkpoint"
        )
    if _tokenizer_class(source) == "SiglipTokenizer" and not _has_any(source, SENTENCEPIECE_FILES):
        raise CheckpointNotLoaded(
            f"{source} names tokenizer class SiglipTokenizer, which reads {SENTENCEPIECE_FILES[0]},"
            " but that file is missing: copy it from the published checkpoint"
        )


def _tokenizer_class(source: str) -> str | None:
    """Return the class that the folder names, None if it names none."""
    path = _file(source, TOKENIZER_CONFIG)
    if path is None:
        return None
    try:
        name = json.loads(path.read_bytes()).get("tokenizer_class")
    except (OSError, ValueError, AttributeError) as error:
        raise CheckpointNotLoaded(f"{source}: {TOKENIZER_CONFIG} is not a JSON object") from error
    return name if isinstance(name, str) else None


def _has_any(source: str, names: tuple[str, ...]) -> bool:
    return any(_file(source, name) is not None for name in names)


def _file(source: str, name: str) -> Path | None:
    """Return a file of a folder or of the hub, None if it is not there."""
    found = cached_file(
        source,
        name,
        _raise_exceptions_for_gated_repo=False,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    return None if found is None else Path(found)


def _first_line(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0]
