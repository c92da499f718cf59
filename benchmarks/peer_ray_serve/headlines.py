# SPDX-License-Identifier: Apache-2.0
"""Trireel beside the reference pipeline on Ray Serve."""

from collections.abc import Iterator

from benchmarks.common.record import Raw, Run
from benchmarks.peer_ray_serve.goals import goals, throughputs
from benchmarks.peer_ray_serve.table import SECTIONS


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of each file."""
    for section in SECTIONS:
        if report := raw.get(section.file):
            found = tuple(goals(report) if section.has_goals else throughputs(report))
            title = f"Beside Ray Serve: {section.title[0].lower()}{section.title[1:]}"
            yield Run(title, section.command(report), report["machine"], found)
