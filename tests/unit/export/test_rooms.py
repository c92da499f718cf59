# SPDX-License-Identifier: Apache-2.0
"""The exporter's imports go down only, and it needs neither the server nor the drawn world."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle
from support.imports import packages_imported

import trireel_export

ROOT = Path(trireel_export.__file__).parent
FLOORS = (
    ("errors", PACKAGE),
    ("loading", "output"),
    ("siglip",),
    ("checks", "bank"),
    ("export", "shots", "detector"),
    ("kept", "show"),
    ("cli",),
)


def test_imports_go_down() -> None:
    assert floors_violated(ROOT, FLOORS) == []
    assert import_circle(ROOT) == []


def test_the_only_package_of_ours_is_the_schema() -> None:
    ours = {name for name in packages_imported(ROOT) if name.startswith("trireel_")}
    assert ours == {"trireel_schema"}
