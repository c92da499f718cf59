# SPDX-License-Identifier: Apache-2.0
"""Objects beside a detection pipeline on Ray Serve, and all findings in one request."""

from collections.abc import Iterator

from benchmarks.common.record import Raw, Run
from benchmarks.objects.figures import figures
from benchmarks.objects.table import FILE


def headlines(raw: Raw) -> Iterator[Run]:
    """Yield the figures of the report."""
    if report := raw.get(FILE):
        yield Run("Objects", report["command"], report["machine"], tuple(figures(report)))
