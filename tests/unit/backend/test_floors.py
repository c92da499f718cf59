# SPDX-License-Identifier: Apache-2.0
"""The floors of the server package: imports go down only."""

import shutil
from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle

import trireel_backend

ROOT = Path(trireel_backend.__file__).parent
FLOORS = (
    ("errors", "system", "ranking"),
    (
        *("metrics", "plan", "artifacts", "reading", "shots", "scenes", "clips", "text_models"),
        *("captions", "tracking", "wire"),
    ),
    (
        "sources",
        "captioning",
        "describing",
        "extraction",
        "towers",
        "findings",
        "whole_video",
        "triton",
    ),
    ("models", "launch", "stock"),
    (PACKAGE,),
)
"""The rooms of each floor, the lowest first. Rooms of one floor do not know each other."""


def test_imports_go_down():
    assert floors_violated(ROOT, FLOORS) == []


def test_no_modules_import_each_other_in_a_circle():
    assert import_circle(ROOT) == []


def test_an_import_that_goes_up_or_sideways_is_found(tmp_path):
    """The rule itself: a copy of the package with two imports put in."""
    copy = tmp_path / ROOT.name
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / "wire/tensors.py").open("a") as file:
        file.write("\nfrom trireel_backend.findings.scenes import scan_scenes\n")
    with (copy / "extraction/view.py").open("a") as file:
        file.write("\nfrom trireel_backend.towers import sessions\n")
    up, sideways = sorted(floors_violated(copy, FLOORS), reverse=True)
    assert up.endswith("up from wire to findings")
    assert sideways.endswith("sideways from extraction to towers")
