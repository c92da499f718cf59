# SPDX-License-Identifier: Apache-2.0
"""Models that the set-up makes; a server without their files does without them."""

from collections.abc import Callable, Iterable
from pathlib import Path

from trireel_backend.errors import MissingPart


def find_made(
    folder: Path | None, default: Path, check: Callable[[Path], None], loss: str
) -> tuple[Path | None, str]:
    """Return the folder of a model, and a sentence if the server has to do without it.

    Args:
        folder: the operator's folder; None for that of the set-up, which may be missing.
        default: folder of the set-up.
        check: raises MissingPart if a folder does not hold the model.
        loss: what the server cannot do without the model.

    Raises:
        MissingPart: if the operator's folder does not hold the model.
    """
    if folder is not None:
        check(folder)
        return folder, ""
    try:
        check(default)
    except MissingPart as error:
        return None, f"{loss}: {error}"
    return default, ""


def require_made(files: Iterable[Path]) -> None:
    """Raise MissingPart unless all files of a model are there."""
    for file in files:
        if not file.is_file():
            raise MissingPart(f"{file} is not there: give the folder that scripts/setup makes")
