# SPDX-License-Identifier: Apache-2.0
"""Objects beside a detection pipeline on Ray Serve, and all findings in one request."""

from collections.abc import Iterator

from benchmarks.common.record import Raw, Run
from benchmarks.objects.figures import figures
from benchmarks.objects.table import SECTIONS


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of each file."""
    for section in SECTIONS:
        if report := raw.get(section.file):
            title = f"Objects: {section.title[0].lower()}{section.title[1:]}"
            found = tuple(figures(report, with_goals=section.has_goals))
            yield Run(title, section.command(report), report["machine"], found)
