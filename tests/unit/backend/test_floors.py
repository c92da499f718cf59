# SPDX-License-Identifier: Apache-2.0
"""The floors of the server package: imports go down only."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle

import trireel_backend

ROOT = Path(trireel_backend.__file__).parent
FLOORS = (
    ("errors", "system"),
    ("metrics", "ranking", "plan"),
    ("artifacts", "wire"),
    ("sources",),
    ("extraction", "towers", "findings", "whole_video", "triton"),
    ("models", "launch", "stock"),
    (PACKAGE,),
)
"""The rooms of each floor, the lowest first. Rooms of one floor do not know each other."""


def test_imports_go_down():
    assert floors_violated(ROOT, FLOORS) == []


def test_no_modules_import_each_other_in_a_circle():
    assert import_circle(ROOT) == []
