# SPDX-License-Identifier: Apache-2.0
"""The app's rooms stand on floors: imports go down only, and never in a circle."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle
from support.imports import packages_imported

import trireel_app

ROOT = Path(trireel_app.__file__).parent
FLOORS = (
    ("errors",),
    ("sources", "traces"),
    ("library",),
    ("analyse", "engine"),
    ("index",),
    ("jobs",),
    ("chat",),
    ("gateway",),
    ("adapters",),
    ("commands",),
    (PACKAGE,),
)


def test_the_apps_imports_go_down() -> None:
    assert floors_violated(ROOT, FLOORS) == []
    assert import_circle(ROOT) == []


def test_the_app_knows_the_client_and_the_schema_alone() -> None:
    ours = {name for name in packages_imported(ROOT) if name.startswith("trireel_")}
    assert ours <= {"trireel_app", "trireel_client", "trireel_schema"}
