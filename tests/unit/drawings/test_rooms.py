# SPDX-License-Identifier: Apache-2.0
"""The drawn world's imports go down only."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle
from support.imports import packages_imported

import trireel_drawings

ROOT = Path(trireel_drawings.__file__).parent
FLOORS = (
    ("painting", "runs", PACKAGE),
    ("figures",),
    ("places",),
    ("scenes",),
    ("training", "detection", "describing"),
    ("cli",),
    ("__main__",),
)


def test_imports_go_down() -> None:
    assert floors_violated(ROOT, FLOORS) == []
    assert import_circle(ROOT) == []


def test_the_only_package_of_ours_is_the_schema() -> None:
    ours = {name for name in packages_imported(ROOT) if name.startswith("trireel_")}
    assert ours == {"trireel_schema"}
