# SPDX-License-Identifier: Apache-2.0
"""Whether both systems say the same of the same videos."""

from typing import Any

import numpy as np

LEAST_COSINE = 0.99


def compare(systems: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Compare the chunks' mean embeddings and first tags, and take them out of the results.

    Raises:
        RuntimeError: the numbers of chunks differ, or a mean's cosine is below 0.99 and its first
            tag another: the two do not do the same work.
    """
    ours, theirs = (systems[name].pop("chunks") for name in ("trireel", "ray_serve"))
    if [len(clip) for clip in ours] != [len(clip) for clip in theirs]:
        raise RuntimeError("the systems cut the videos into different numbers of chunks")
    pairs = [pair for clips in zip(ours, theirs, strict=True) for pair in zip(*clips, strict=True)]
    cosines = [float(np.dot(a["embedding"], b["embedding"])) for a, b in pairs]
    same = [a["tag"] == b["tag"] for a, b in pairs]
    for cosine, tag in zip(cosines, same, strict=True):
        if cosine < LEAST_COSINE and not tag:
            raise RuntimeError(f"a chunk's means have cosine {cosine:.4f}, and other first tags")
    return {
        "chunks": len(pairs),
        "worst_cosine": round(min(cosines), 5),
        "median_cosine": round(float(np.median(cosines)), 5),
        "same_first_tag": sum(same),
    }
