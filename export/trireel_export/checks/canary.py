# SPDX-License-Identifier: Apache-2.0
"""`canary.npz`: two pictures whose embeddings a server must reproduce before it is ready."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from trireel_export.checks.pictures import resized
from trireel_export.errors import ConstantEmbeddings
from trireel_export.siglip.checkpoint import Checkpoint
from trireel_schema.gate import CONSTANT_COSINE
from trireel_schema.pictures import Canary, write_canary


def write_least_alike(
    checkpoint: Checkpoint,
    pictures: Mapping[str, Image.Image],
    embeddings: NDArray[np.float32],
    path: Path,
) -> None:
    """Write the two pictures that differ most to the checkpoint itself.

    Args:
        embeddings: the checkpoint's own embeddings [len(pictures), D], unit length.

    Raises:
        ConstantEmbeddings: if even these two have nearly the same embedding.
    """
    alike = embeddings @ embeddings.T
    pair = np.unravel_index(np.argmin(alike), alike.shape)
    names = [list(pictures)[index] for index in pair]
    if not alike[pair] <= CONSTANT_COSINE:
        raise ConstantEmbeddings(
            f"{checkpoint.name} gives all pictures nearly the same embedding: cosine"
            f" {alike[pair]:.4f} at least, between {names[0]!r} and {names[1]!r}"
        )
    frames = [
        resized(pictures[name], checkpoint.image_size_px, checkpoint.resample) for name in names
    ]
    # A server sees the squashed pictures only, so the reference is theirs.
    reference = checkpoint.embed_pictures([Image.fromarray(frame) for frame in frames])
    write_canary(Canary(np.stack(frames), reference), checkpoint.weights_sha256, path)
