# SPDX-License-Identifier: Apache-2.0
"""Reading the `.npz` files of an export."""

import zipfile
import zlib
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from trireel_schema.errors import FileDamaged, WeightsMismatch
from trireel_schema.json_files import EXPORT_AGAIN, file_missing

WEIGHTS = "weights_sha256"
"""Name of the array that holds the hash of the weights."""


class OfWeights(Protocol):
    """Metadata of an export."""

    @property
    def weights_sha256(self) -> str:
        """Hash of all weights."""


def read_arrays(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an `.npz` file; others are ignored.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it cannot be read, or lacks one of the arrays.
    """
    try:
        # allow_pickle stays False: a file is data, and reading it must not run anything.
        # NumPy itself leaves a file open that turns out to be no archive.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in names}
    except OSError as error:
        raise file_missing(path, error) from error
    except (KeyError, TypeError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise FileDamaged(f"{path} is not complete ({error!r}): {EXPORT_AGAIN}") from error


def read_arrays_of_weights(
    path: Path, names: tuple[str, ...], metadata: OfWeights
) -> dict[str, NDArray[Any]]:
    """Read the named arrays of an `.npz` file that was made for the weights of `metadata`.

    Raises:
        FileMissing, FileDamaged: as `read_arrays` does.
        WeightsMismatch: if the file was made for other weights.
    """
    arrays = read_arrays(path, (*names, WEIGHTS))
    weights = str(arrays.pop(WEIGHTS))
    if weights != metadata.weights_sha256:
        raise WeightsMismatch(
            f"{path} was made for weights {weights}, the models here have the weights"
            f" {metadata.weights_sha256}: take all files from one export"
        )
    return arrays


def require_shape(
    path: Path, name: str, array: NDArray[Any], dtype: type[Any], shape: tuple[int, ...]
) -> None:
    """Raise FileDamaged if an array of a file has another dtype or shape than it must have."""
    if array.dtype != dtype or array.shape != shape:
        raise FileDamaged(
            f"array {name!r} in {path} is {array.dtype} {list(array.shape)}, it must be"
            f" {np.dtype(dtype)} {list(shape)}: {EXPORT_AGAIN}"
        )
