# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.pages import document, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.object_tracks --output benchmarks/object_tracks/results.json"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Tracks of drawn figures",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, commit {machine['commit']}. Drawn videos of"
            f" {report['seconds']} s that no detector was trained on, in chunks of"
            f" {report['chunk_seconds']:g} s; the detector {report['detector']}. MOTA is 1 minus"
            " the share of missed boxes, false boxes and switches of ids. A thing that walks out at"
            " one side and in again at the other is another thing. Things that are mostly hidden"
            " count for nothing."
        ),
        *(block for rate in report["rates"] for block in _rate(rate)),
    )


def _rate(rate: dict[str, Any]) -> Iterator[str]:
    yield f"## {rate['fps']:g} frames a second"
    yield table(
        "video | things | missed | false | switches | MOTA",
        [*map(_row, rate["videos"]), _row({**rate, "video": "all"})],
    )


def _row(counts: dict[str, Any]) -> tuple[object, ...]:
    numbers = (counts[name] for name in ("things", "missed", "false", "switches"))
    return (counts["video"], *numbers, f"{counts['mota']:.3f}")
