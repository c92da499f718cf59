# SPDX-License-Identifier: Apache-2.0
"""Pictures with the embeddings that the checkpoint itself gives them, in fp32.

`canary.npz` holds two, which a server must reproduce before it is ready. `gate.npz` holds all
pictures that a tower is compared with.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from trireel_schema.arrays import WEIGHTS, read_arrays, read_arrays_of_weights, require_shape
from trireel_schema.errors import FileDamaged
from trireel_schema.json_files import EXPORT_AGAIN
from trireel_schema.metadata import Metadata

CANARY_PICTURES = 2


@dataclass(frozen=True)
class Canary:
    """Two pictures and the embeddings that the checkpoint itself gives them."""

    frames: NDArray[np.uint8]
    """[2, S, S, 3] RGB, clearly different from each other."""
    embeddings: NDArray[np.float32]
    """[2, D] unit length."""


@dataclass(frozen=True)
class KnownPictures:
    """Pictures and the embeddings that the checkpoint itself gives them, in fp32."""

    names: tuple[str, ...]
    """Name of each picture, for error messages."""
    frames: NDArray[np.uint8]
    """[N, S, S, 3] RGB, squashed as a server's extractor does it."""
    embeddings: NDArray[np.float32]
    """[N, D] unit length."""


def write_canary(canary: Canary, weights_sha256: str, path: Path) -> None:
    """Write `canary.npz` for the weights of this hash."""
    np.savez(
        path,
        frames=canary.frames,
        embeddings=canary.embeddings,
        **{WEIGHTS: np.array(weights_sha256)},
    )


def read_canary(path: Path) -> Canary:
    """Read `canary.npz`.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it cannot be read, or does not hold two pictures and two embeddings.
    """
    arrays = read_arrays(path, ("frames", "embeddings"))
    frames, embeddings = arrays["frames"], arrays["embeddings"]
    if frames.ndim != 4 or embeddings.ndim != 2:
        raise FileDamaged(
            f"{path} holds frames {list(frames.shape)} and embeddings {list(embeddings.shape)},"
            f" it must hold [2, S, S, 3] and [2, D]: {EXPORT_AGAIN}"
        )
    side, width = frames.shape[1], embeddings.shape[1]
    require_shape(path, "frames", frames, np.uint8, (CANARY_PICTURES, side, side, 3))
    require_shape(path, "embeddings", embeddings, np.float32, (CANARY_PICTURES, width))
    return Canary(frames, embeddings)


def write_known_pictures(known: KnownPictures, weights_sha256: str, path: Path) -> None:
    """Write `gate.npz` for the weights of this hash."""
    np.savez_compressed(
        path,
        names=np.array(known.names),
        frames=known.frames,
        embeddings=known.embeddings,
        **{WEIGHTS: np.array(weights_sha256)},
    )


def read_known_pictures(path: Path, metadata: Metadata) -> KnownPictures:
    """Read `gate.npz`.

    Raises:
        FileMissing: if there is no such file.
        FileDamaged: if it lacks an array, or has an array of another dtype or shape.
        WeightsMismatch: if it was made for other weights.
    """
    arrays = read_arrays_of_weights(path, ("names", "frames", "embeddings"), metadata)
    names, side = tuple(arrays["names"].tolist()), metadata.image_size_px
    frames, embeddings = arrays["frames"], arrays["embeddings"]
    require_shape(path, "frames", frames, np.uint8, (len(names), side, side, 3))
    width = metadata.embedding_dim
    require_shape(path, "embeddings", embeddings, np.float32, (len(names), width))
    return KnownPictures(names, frames, embeddings)
