# SPDX-License-Identifier: Apache-2.0
"""The check of a package's floors finds imports that go up, sideways or in a circle."""

from pathlib import Path

import pytest
from support.floors import PACKAGE, Import, floors_violated, import_circle, imports_of

FLOORS = (("ground",), ("left", "right"), ("top", "top.inner"), (PACKAGE,))


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A package with five rooms on four floors, whose imports go down."""
    root = tmp_path / "house"
    for name, text in {
        "__init__": "from house.top import stairs",
        "ground": "import json",
        "left/__init__": "",
        "left/door": "from house import ground\nfrom . import window\n",
        "left/window": "import house.ground",
        "right": "from house.ground import floor",
        "top/__init__": "",
        "top/stairs": "from ..left.door import handle\nfrom house.right import wall",
        "top/inner": "from house.ground import floor",
    }.items():
        write(root, name, text)
    return root


def write(root: Path, name: str, text: str) -> None:
    """Write the module `name`, such as `left/door`, of the package in `root`."""
    path = root / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_imports_that_go_down_are_fine(house: Path) -> None:
    assert floors_violated(house, FLOORS) == []
    assert import_circle(house) == []


def test_every_form_of_import_is_read(house: Path) -> None:
    assert list(imports_of(house)) == [
        Import(PACKAGE, "top.stairs", 1),
        Import("left.door", "ground", 1),
        Import("left.door", "left.window", 2),
        Import("left.window", "ground", 1),
        Import("right", "ground", 1),
        Import("top.inner", "ground", 1),
        Import("top.stairs", "left.door", 1),
        Import("top.stairs", "right", 2),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "from house.top.stairs import step",
        "import house.top.stairs",
        "from .top import stairs",
        "def climb():\n    from house.top import stairs",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.top import stairs",
    ],
)
def test_an_import_that_goes_up_is_named(house: Path, statement: str) -> None:
    write(house, "right", statement)
    (sentence,) = floors_violated(house, FLOORS)
    line = len(statement.splitlines())
    assert sentence == f"right, line {line}, imports top.stairs: up from right to top"


def test_an_import_that_goes_sideways_is_named(house: Path) -> None:
    write(house, "left/window", "from house.right import wall")
    assert floors_violated(house, FLOORS) == [
        "left.window, line 1, imports right: sideways from left to right"
    ]


def test_a_room_inside_of_a_room_is_a_room_of_its_own(house: Path) -> None:
    write(house, "top/inner", "from house.top.stairs import step")
    assert floors_violated(house, FLOORS) == [
        "top.inner, line 1, imports top.stairs: sideways from top.inner to top"
    ]


def test_a_module_without_a_room_is_named(house: Path) -> None:
    write(house, "shed", "")
    assert floors_violated(house, FLOORS) == ["shed belongs to no room"]


def test_a_table_with_a_wrong_room_is_told(house: Path) -> None:
    floors = (*FLOORS, ("attic", "ground"))
    assert "attic has no module" in floors_violated(house, floors)
    assert "ground stands in the table twice" in floors_violated(house, floors)


def test_a_circle_is_found(house: Path) -> None:
    write(house, "ground", "def late():\n    from house.left.window import glass")
    assert set(import_circle(house)) == {"ground", "left.window"}
