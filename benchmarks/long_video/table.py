# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

import statistics
from typing import Any

from benchmarks.common.pages import document, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.long_video --output benchmarks/long_video/results.json"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    runs, machine = report["runs"], report["machine"]
    return document(
        "# Long videos through the embedded server",
        paragraph(
            f"`{COMMAND}`, {runs[0]['clip']}, on {processors(machine)}, commit"
            f" {machine['commit']}. One request for the whole video, alone on the server. PSS of"
            " all its processes, in MiB."
        ),
        table(
            "minutes | extractors | wall seconds | video-seconds a second |"
            " CPU ms a chunk of 10 s | PSS, first tenth | last tenth | most",
            map(_row, runs),
        ),
    )


def _row(run: dict[str, Any]) -> tuple[object, ...]:
    """Return a row; memory is that of the first and of the last tenth of the run."""
    pss = run["pss_mib"]
    tenth = max(1, len(pss) // 10)
    return (
        run["minutes"],
        run["extractors"],
        f"{run['wall_seconds']:.1f}",
        f"{run['minutes'] * 60 / run['wall_seconds']:.0f}",
        f"{1000 * run['cpu_seconds'] / run['chunks']:.0f}",
        f"{statistics.median(pss[:tenth]):.0f}",
        f"{statistics.median(pss[-tenth:]):.0f}",
        f"{max(pss):.0f}",
    )
