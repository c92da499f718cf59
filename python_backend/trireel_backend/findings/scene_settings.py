# SPDX-License-Identifier: Apache-2.0
"""The scene settings of a server: those of its export, or the operator's."""

from dataclasses import dataclass
from typing import NamedTuple

from trireel_backend.errors import StartupError
from trireel_schema.errors import InvalidValue
from trireel_schema.metadata import Metadata
from trireel_schema.scenes import check_scene_settings


class ScenePair(NamedTuple):
    """The settings that apply to requests without their own."""

    threshold: float
    """Smallest scene score of a cut."""
    alpha: float
    """Weight of the newest frame in the running average."""


@dataclass(frozen=True)
class SceneSettings:
    """Parameters of the model's config; empty texts for the settings of the export."""

    scene_threshold: str = ""
    """Smallest scene score of a cut, above 0, up to 2."""
    scene_alpha: str = ""
    """Weight of the newest frame in the running average, above 0, up to 1."""
    shot_model: bool = False
    """True if the server has the model `shot_boundary`; the launcher sets it."""
    every_shot_window: bool = False
    """True to let TransNetV2 judge every window, as a GPU can; else those around changes."""

    def over(self, metadata: Metadata) -> ScenePair:
        """Return the settings that apply; raises StartupError if one is wrong."""
        pair = ScenePair(
            _number("scene_threshold", self.scene_threshold, metadata.scene_threshold),
            _number("scene_alpha", self.scene_alpha, metadata.scene_alpha),
        )
        try:
            check_scene_settings(*pair)
        except InvalidValue as error:
            raise StartupError(f"wrong parameter of temporal_decoder: {error}") from error
        return pair


def _number(name: str, text: str, of_export: float) -> float:
    try:
        return float(text) if text else of_export
    except ValueError:
        raise StartupError(
            f"parameter {name} is {text!r}: give a number, or an empty text for the export's"
            f" {of_export:g}"
        ) from None
