# SPDX-License-Identifier: Apache-2.0
"""Options of the three findings that a request gets by default."""

from trireel_backend.findings.decoder import Options
from trireel_backend.findings.scenes import SceneOptions
from trireel_backend.findings.tags import DEFAULT_TOP_K, TagOptions
from trireel_schema.texts import TextSet


def default_findings(
    *,
    top_k: int = DEFAULT_TOP_K,
    tags: TextSet | None = None,
    scene_threshold: float | None = None,
    scene_alpha: float | None = None,
) -> Options:
    """Return options for the decoder as `read_options` does."""
    return {
        "tags": TagOptions(top_k, tags),
        "caption": None,
        "scenes": SceneOptions(scene_threshold, scene_alpha),
    }
