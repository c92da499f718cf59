# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from collections.abc import Iterator

from benchmarks.captions.score import Score
from benchmarks.captions.totals import (
    FOUND_REGION,
    REGION,
    Report,
    costs,
    groups,
    lengths,
    parts,
    scores,
)
from benchmarks.common.pages import document, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.captions --videos VIDEOS --rapidocr rapidocr/bin/python"
SCORE_HEADS = "captions | F1 | exact F1 | exact ends | wrong characters | with missing | false"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Captions on screen: extents, texts and cost",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, commit {machine['commit']},"
            f" {packages(machine)}, RapidOCR 3.10.0 with its defaults; {report['fps']:g} samples a"
            " second."
        ),
        paragraph(
            "Captions are burnt into drawn videos and into real clips, in several fonts, sizes from"
            " 16 pixels on, outlines, boxes and fades. The test videos have other fonts and other"
            " sentences than those that rules were tuned on. A found caption stands for a true one"
            " if both share time and at least half of the text. F1 counts captions whose first and"
            " last frames are both right within the distance of two samples, exact F1 those that"
            " are right to the frame, and exact ends the part of all first and last frames. Of a"
            " fade every frame is right. Wrong characters are insertions, removals and"
            " replacements for each character of the captions that were found; with missing, for"
            " each character of all captions. The region is given, or the server finds it."
        ),
        *_accuracy(report),
        *_costs(report),
    )


def _accuracy(report: Report) -> Iterator[str]:
    if not report["videos"]:
        return
    yield "## By set"
    yield table(
        f"videos | {SCORE_HEADS}",
        (
            (f"{part}, {way}", *_row(scores(report, way, part)))
            for part in parts(report)
            for way in (REGION, FOUND_REGION)
        ),
    )
    yield "## By group of the test videos, region given"
    yield table(
        f"group | {SCORE_HEADS}",
        ((group, *_row(scores(report, REGION, "test", group))) for group in groups(report)),
    )


def _row(found: Score) -> tuple[str, ...]:
    false = ", ".join(f"{count} {kind}" for kind, count in found.false.items()) or "0"
    return (
        str(found.extents.hits + found.extents.missed),
        f"{found.extents.f1:.3f}",
        f"{found.exact.f1:.3f}",
        f"{found.exact_rate:.3f}",
        f"{found.error_rate:.2%}",
        f"{found.error_rate_with_missing:.2%}",
        false,
    )


def _costs(report: Report) -> Iterator[str]:
    if not report["cost"]:
        return
    yield "## Cost"
    yield paragraph(
        "640x360 pixels, 24 frames a second, a region with one line. The sequential form does the"
        " same work with the same functions and models, one stage after the other, in one process."
        " OCR of every frame is RapidOCR's on every sample of the region, scaled up as the package"
        " does it, or in its own size; it reads some of the samples, evenly spread, and its figures"
        " are multiplied by the factor given."
    )
    yield table(
        "minutes | way | time s | CPU-s | peak memory MiB | scaled by",
        (
            (
                str(minutes),
                way,
                f"{cost['wall_seconds']:.1f}",
                f"{cost['cpu_seconds']:.1f}",
                f"{cost['peak_mib']:.0f}",
                f"{cost['scaled_by']:.0f}" if cost.get("scaled_by", 1) > 1 else "",
            )
            for minutes in lengths(report)
            for way, cost in costs(report, minutes).items()
        ),
    )
