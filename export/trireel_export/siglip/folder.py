# SPDX-License-Identifier: Apache-2.0
"""Accidents of a checkpoint's folder that a loader would report in words of its own."""

import json
from pathlib import Path

from trireel_export.errors import CheckpointNotLoaded, UnsupportedCheckpoint

LFS_POINTER = b"version https://git-lfs.github.com/spec/"
HEADER_BYTES = 8
"""Size of the number that a safetensors file begins with: the length of its header."""
MOST_HEADER_BYTES = 100_000_000


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
