# SPDX-License-Identifier: Apache-2.0
"""Defaults and ranges of the settings that decide where a scene ends."""

from trireel_schema.errors import InvalidValue

SAMPLED = "sampled"
"""Scenes by the embeddings of the sampled frames."""
REFINED = "refined"
"""Scenes by the frames around changes of the picture."""
EXACT = "exact"
"""Scenes by every frame, and by TransNetV2 around changes of the picture."""
MODES = (SAMPLED, REFINED, EXACT)
"""The ways to find scenes, from the cheapest to the best."""
DEFAULT_SCENE_THRESHOLD = 0.15
"""Smallest scene score, `1 - cosine` to the running average, that is a cut."""
DEFAULT_SCENE_ALPHA = 0.1
"""Weight of the newest frame in the running average."""
MAX_SCENE_SCORE = 2.0


def check_scene_settings(threshold: float, alpha: float) -> None:
    """Check the scene settings of an export.

    Raises:
        InvalidValue: if `threshold` is not in (0, 2], or `alpha` is not in (0, 1].
    """
    if not 0 < threshold <= MAX_SCENE_SCORE:
        raise InvalidValue(
            f"scene threshold is {threshold}: a scene score, 1 - cosine, is between 0 and 2, so"
            " give a number above 0, up to 2; with 0 every frame would be a cut"
        )
    if not 0 < alpha <= 1:
        raise InvalidValue(
            f"scene alpha is {alpha}: give the weight of the newest frame, a number above 0,"
            " up to 1"
        )
