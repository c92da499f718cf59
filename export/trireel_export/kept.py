# SPDX-License-Identifier: Apache-2.0
"""Exports kept in a cache, by the checkpoint's files and the options, so that each is made once."""

import hashlib
import json
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from trireel_export.errors import CheckpointNotLoaded
from trireel_schema.files import METADATA_FILE, cache_folder
from trireel_schema.precision import Precision

USED = ("*.json", "*.safetensors", "*.bin", "*.model", "*.txt")
"""Files of a checkpoint that decide an export."""
READ_BYTES = 2**22


def kept_export(
    checkpoint: str,
    *,
    precision: Precision = Precision.FP32,
    note: str = "",
    progress: Callable[[str], None] = lambda step: None,
) -> Path:
    """Return the folder of a checkpoint's export; make it if the cache has none.

    The tags and descriptions are the default ones: a server replaces them when it starts.

    Args:
        checkpoint: a Hugging Face folder or hub name.
        progress: called with a sentence when a step begins.

    Raises:
        ExportError: if the checkpoint cannot be exported; the cache is then as it was before.
    """
    source = _folder(checkpoint)
    progress(f"Hashing {source}")
    output = cache_folder("exports") / _key(source, precision, note)
    if (output / METADATA_FILE).is_file():
        progress(f"Using the export in {output}")
        return output
    from trireel_export.export import export  # torch takes seconds to import
    from trireel_export.loading import quiet_transformers

    quiet_transformers()
    # A folder of the hub's cache is named after a revision, not after the checkpoint.
    name = source.name if Path(checkpoint).expanduser().is_dir() else checkpoint
    export(str(source), output, precision=precision, note=note, name=name, progress=progress)
    return output


def _folder(checkpoint: str) -> Path:
    folder = Path(checkpoint).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if folder.exists() or checkpoint.startswith(("/", ".", "~")):
        raise CheckpointNotLoaded(f"{checkpoint} is not a folder: give a folder or a hub name")
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(checkpoint, allow_patterns=list(USED)))
    except Exception as error:  # of the hub, of the network, of its own cache
        reason = str(error).partition("\n")[0]
        raise CheckpointNotLoaded(
            f"{checkpoint} is no folder here, and the hub does not give it: {reason}"
        ) from error


def _key(source: Path, precision: Precision, note: str) -> str:
    digest = hashlib.sha256()
    digest.update(json.dumps([version("trireel-export"), precision.value, note]).encode())
    for file in _files(source):
        digest.update(f"{file.relative_to(source)} {file.stat().st_size}\n".encode())
        with file.open("rb") as stream:
            while part := stream.read(READ_BYTES):
                digest.update(part)
    return digest.hexdigest()[:32]


def _files(source: Path) -> Iterator[Path]:
    files = sorted(file for pattern in USED for file in source.glob(pattern) if file.is_file())
    if not files:
        raise CheckpointNotLoaded(f"{source} holds no files of a checkpoint: give its folder")
    yield from files
