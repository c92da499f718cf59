# SPDX-License-Identifier: Apache-2.0
"""Loading published checkpoints with transformers: accidents as one sentence, weights, names."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers.utils import logging

from trireel_export.errors import CheckpointNotLoaded, ExportError, UnsupportedCheckpoint

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
HEADER_BYTES = 8
"""Size of the number that a safetensors file begins with: the length of its header."""
MOST_HEADER_BYTES = 100_000_000


def quiet_transformers() -> None:
    """Keep transformers from warning of its own defaults and from drawing progress bars."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()


@contextmanager
def accidents_as_sentences(source: str) -> Iterator[None]:
    """Check a folder, and report whatever transformers raises while it loads a checkpoint.

    Raises:
        CheckpointNotLoaded: if the checkpoint is not there, or a file is damaged.
        UnsupportedCheckpoint: if the folder is an adapter without its base.
    """
    check_folder(source)
    try:
        yield
    except ExportError:
        raise
    except Exception as error:  # `transformers` raises AttributeError, KeyError and others too
        raise CheckpointNotLoaded(
            f"{source} does not load as a Hugging Face folder or hub name: {error}"
        ) from error


def require_all_weights(source: str, loading: Mapping[str, Any]) -> None:
    """Raise CheckpointNotLoaded if transformers found no values for some weights.

    Args:
        loading: transformers' report on the loading.
    """
    if loading["missing_keys"]:
        missing = sorted(loading["missing_keys"])
        raise CheckpointNotLoaded(
            f"{source} lacks {len(missing)} weights, {missing[0]} among them: an incomplete copy?"
        )


def weights_hash(model: Any) -> str:
    """Return the hash of names, shapes and values of all weights, however the files are split."""
    digest = hashlib.sha256()
    for name, weight in sorted(model.state_dict().items()):
        digest.update(f"{name} {weight.dtype} {tuple(weight.shape)}\n".encode())
        digest.update(weight.contiguous().numpy().data)
    return digest.hexdigest()


def display_name(source: str) -> str:
    """Return a checkpoint's name for its export, which must not tell where it was made."""
    return Path(source).name if Path(source).is_absolute() else source


def check_folder(source: str) -> None:
    """Look for accidents in a folder; a name on the hub is not looked at.

    Raises:
        CheckpointNotLoaded: if a file is a git-LFS pointer or was cut off.
        UnsupportedCheckpoint: if the folder is an adapter without its base.
    """
    folder = Path(source)
    if not folder.is_dir():
        return
    if (folder / "adapter_config.json").is_file() and not (folder / "config.json").is_file():
        raise UnsupportedCheckpoint(
            f"{source} is an adapter{_base(folder)}, not a whole checkpoint: merge it into its base"
            " with PEFT's merge_and_unload, save that, and export the result"
        )
    for file in sorted(folder.iterdir()):
        if file.is_file():
            _check_file(source, file)


def _check_file(source: str, file: Path) -> None:
    with file.open("rb") as stream:
        begin = stream.read(len(LFS_POINTER))
    if begin == LFS_POINTER:
        raise CheckpointNotLoaded(
            f"{source}: {file.name} is a git-LFS pointer, not the file itself: run `git lfs pull`"
            " in the folder, or download the checkpoint again"
        )
    if file.suffix == ".safetensors":
        missing_bytes = _missing_bytes(file)
        if missing_bytes:
            raise CheckpointNotLoaded(
                f"{source}: {file.name} was cut off, {missing_bytes:,} of its bytes are missing:"
                " download it again"
            )


def _missing_bytes(file: Path) -> int:
    """Return how many bytes a safetensors file lacks at its end, 0 if it is not understood.

    The format: https://huggingface.co/docs/safetensors, "Format".
    """
    size = file.stat().st_size
    with file.open("rb") as stream:
        header_bytes = int.from_bytes(stream.read(HEADER_BYTES), "little")
        if size < HEADER_BYTES or header_bytes > MOST_HEADER_BYTES:
            return max(HEADER_BYTES - size, 0)
        header = stream.read(header_bytes)
    if len(header) < header_bytes:
        return header_bytes - len(header)
    try:
        entries = json.loads(header)
        end = max(entry["data_offsets"][1] for entry in entries.values() if "dtype" in entry)
    except (AttributeError, KeyError, TypeError, ValueError):
        return 0
    return max(HEADER_BYTES + header_bytes + int(end) - size, 0)


def _base(folder: Path) -> str:
    try:
        base = json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
    except (KeyError, OSError, TypeError, ValueError):
        return ""
    return f" of {base}"
