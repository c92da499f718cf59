# SPDX-License-Identifier: Apache-2.0
"""The schema stands on the ground: NumPy and the standard library, and imports go down only."""

from pathlib import Path

from support.floors import PACKAGE, floors_violated, import_circle
from support.imports import packages_imported

import trireel_schema

ROOT = Path(trireel_schema.__file__).parent
FLOORS = (
    (
        "tensor",
        "captions",
        "errors",
        "files",
        "json_values",
        "networks",
        "stages",
        "precision",
        "vectors",
        PACKAGE,
    ),
    (
        "json_files",
        "objects",
        "object_tensors",
        "caption_tensors",
        "description_tensors",
        "scenes",
        "text_lists",
        "prompts",
        "wheels",
    ),
    ("catalogue", "metadata", "shots"),
    ("arrays", "description"),
    ("texts", "pictures", "windows", "detector"),
    ("gate", "ranking", "detections"),
)


def test_imports_go_down() -> None:
    assert floors_violated(ROOT, FLOORS) == []
    assert import_circle(ROOT) == []


def test_numpy_is_all_that_is_needed() -> None:
    assert packages_imported(ROOT) == {"numpy"}
