# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.pages import document, packages, paragraph, processors, table
from benchmarks.common.record import Raw
from benchmarks.scenes.score import KINDS, TOLERANCES
from benchmarks.scenes.totals import Set, sets

COMMAND = "python -m benchmarks.scenes --scenedetect scenedetect/bin/python"
TITLES = {"drawn": "Drawn videos", "real": "Edits of real clips"}
BAR_CELLS = 40


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Cuts: precision, recall, exactness and cost",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, commit {machine['commit']},"
            f" {packages(machine)}, PySceneDetect 0.7.2 with its defaults. The machine did other"
            " work at the same time."
        ),
        paragraph(
            "A detector's event matches one true transition at most: a cut if its time is within"
            " the tolerance, a gradual transition if its interval touches the true one, widened by"
            " the tolerance. Frames are those of the file, counted by PTS. A false event counts for"
            " the kind of the nearest transition. Videos without transitions are left out of the"
            " scores; the last table has their false events. CPU time is that of all processes of"
            " a detector, Trireel's server and client included, decoding included."
        ),
        *(block for found in sets(report) for block in _set(found)),
    )


def _set(found: Set) -> Iterator[str]:
    kinds = ", ".join(f"{number} {kind}s" for kind, number in found.kinds.items())
    minutes = sum(video["minutes"] for video in found.edits)
    yield f"## {TITLES.get(found.name, found.name)}"
    yield paragraph(f"{len(found.edits)} videos, {minutes:.0f} minutes, {kinds}.")
    heads = [f"F1 at {name}" for name in TOLERANCES]
    yield table(
        " | ".join(["detector", *heads, "precision", "recall", "CPU-s a minute"]),
        (_overall(found, detector) for detector in found.detectors),
    )
    yield "Precision and recall are those at 1 frame. F1 at 1 frame, drawn:"
    yield _bars(found)
    yield "### By kind of transition, F1 at 1 frame"
    present = [kind for kind in KINDS if kind in found.kinds]
    yield table(
        " | ".join(["detector", *present]),
        (_by_kind(found, detector, present) for detector in found.detectors),
    )
    yield "### By group of videos, F1 at 1 frame"
    yield table(
        " | ".join(["group", *found.detectors]),
        (_by_group(found, group) for group in found.groups),
    )
    yield "### Errors of time, and false events"
    yield paragraph(
        "Errors of the hard cuts that are found within half a second. Half frames are those of the"
        " videos of an uneven rate: 1 is the distance to the middle between two frames."
    )
    yield table(
        "detector | median, ms | p95, ms | most, ms | VFR: p95, half frames | most |"
        " false events in 10 minutes without cuts",
        (_errors(found, detector) for detector in found.detectors),
    )


def _overall(found: Set, detector: str) -> tuple[str, ...]:
    counts = found.counts(detector)
    return (
        detector,
        *(f"{found.counts(detector, tolerance).f1:.3f}" for tolerance in TOLERANCES),
        f"{counts.precision:.3f}",
        f"{counts.recall:.3f}",
        f"{found.cpu_seconds_a_minute(detector):.2f}",
    )


def _bars(found: Set) -> str:
    """Return a bar of characters for each detector, in a block of code."""
    width = max(map(len, found.detectors))
    lines = []
    for detector in found.detectors:
        f1 = found.counts(detector).f1
        lines.append(f"{detector:{width}} {'█' * round(f1 * BAR_CELLS)} {f1:.3f}")
    return "\n".join(["```text", *lines, "```"])


def _by_kind(found: Set, detector: str, kinds: list[str]) -> tuple[str, ...]:
    return detector, *(f"{found.counts(detector, kind=kind).f1:.3f}" for kind in kinds)


def _by_group(found: Set, group: str) -> tuple[str, ...]:
    scores = (found.counts(detector, group=group).f1 for detector in found.detectors)
    return group, *(f"{f1:.3f}" for f1 in scores)


def _errors(found: Set, detector: str) -> tuple[str, ...]:
    ms, vfr = found.errors_ms(detector), found.vfr_half_frames(detector)
    false = found.false_in_ten_minutes(detector)
    return (
        detector,
        *(_value(ms, name) for name in ("median", "p95", "max")),
        *(_value(vfr, name) for name in ("p95", "max")),
        "" if false is None else f"{false:.1f}",
    )


def _value(values: dict[str, Any], name: str) -> str:
    return f"{values[name]:.2f}" if values else ""
