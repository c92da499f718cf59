# SPDX-License-Identifier: Apache-2.0
"""The scene settings of a server: the operator's over those of the export."""

import pytest
from support.known import metadata_of

from trireel_backend.errors import StartupError
from trireel_backend.findings.scene_settings import ScenePair, SceneSettings

METADATA = metadata_of(scene_threshold=0.3, scene_alpha=0.2)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (SceneSettings(), ScenePair(0.3, 0.2)),
        (SceneSettings(scene_threshold="0.5"), ScenePair(0.5, 0.2)),
        (SceneSettings("0.5", "1"), ScenePair(0.5, 1.0)),
    ],
)
def test_the_operators_settings_replace_the_exports(settings, expected):
    assert settings.over(METADATA) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (SceneSettings("high"), "scene_threshold is 'high': give a number, or an empty text"),
        (SceneSettings("2.5"), "scene threshold is 2.5"),
        (SceneSettings(scene_alpha="0"), "scene alpha is 0.0"),
    ],
)
def test_a_wrong_setting_stops_the_start(settings, message):
    with pytest.raises(StartupError, match=message):
        settings.over(METADATA)
