# SPDX-License-Identifier: Apache-2.0
"""Options of the three findings that a request gets by default, and a server without models."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from trireel_backend.findings.decoder import Options, read_options
from trireel_backend.findings.scene_options import SceneOptions
from trireel_backend.findings.tags import DEFAULT_TOP_K, TagOptions
from trireel_backend.wire.request import Request
from trireel_schema.texts import TextSet


def default_findings(
    *,
    top_k: int = DEFAULT_TOP_K,
    tags: TextSet | None = None,
    descriptions: TextSet | None = None,
    scene_threshold: float | None = None,
    scene_alpha: float | None = None,
) -> Options:
    """Return options for the decoder as `read_options` does."""
    return {
        "tags": TagOptions(top_k, tags),
        "caption": descriptions,
        "scenes": SceneOptions(
            threshold=scene_threshold,
            alpha=scene_alpha,
            tags=TagOptions(top_k, tags),
            descriptions=descriptions,
        ),
    }


def options_of(**inputs: Any) -> Options:
    """Return the options that a request with these inputs has; None for an input left out."""
    arrays = {}
    for name, value in inputs.items():
        values = value if isinstance(value, list) else [value]
        if isinstance(values[0], str):
            values = [text.encode() for text in values]
        if value is not None:
            arrays[name] = np.array(values, object if isinstance(values[0], bytes) else None)
    return read_options(Request(arrays.get))


async def no_model(model_name: str, *_: object, **__: object) -> dict[str, NDArray[Any]]:
    """Stand for the other models of a server; fail if one is called."""
    raise AssertionError(f"{model_name} was called")
