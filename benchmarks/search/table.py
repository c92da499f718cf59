# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from typing import Any

from benchmarks.common.pages import MIB, document, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.search"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine, added, index = report["machine"], report["added"], report["index"]
    return document(
        "# Search: what the moment index finds, and how fast",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, {packages(machine)}, commit"
            f" {machine['commit']}. {added['frames']} made-up frames of {added['videos']} videos,"
            f" {added['width']} values each, in runs of 16 that are nearly equal; a third of the"
            " queries has a cosine of 0.3 to its frame (as a text), of 0.6, and of 0.9 (as a"
            " picture). The machine did other work at the same time, so the CPU time stands beside"
            " the wall time."
        ),
        paragraph(
            f"Adding the videos took {added['add_seconds']:.0f} s"
            f" ({added['add_cpu_seconds']:.0f} s of CPU), the index {index['seconds']:.0f} s"
            f" ({index['cpu_seconds']:.0f} s of CPU); tables and indexes have"
            f" {index['bytes'] / MIB:.0f} MiB."
        ),
        table(
            "search | recall@20 | at cosine 0.3 | 0.6 | 0.9 | p50, ms | p95, ms | CPU p50, ms",
            map(_row, report["searches"]),
        ),
        paragraph(
            "`all frames` is the search below 50,000 frames, `index` the one above; `3 videos`"
            " searches three of them; `moments` is the whole search of `trireel search`, which"
            " reads all frames of the scenes that it found and groups them."
        ),
    )


def _row(found: dict[str, Any]) -> tuple[str, ...]:
    by_cosine = found.get("recall_by_cosine", {})
    recalls = (found.get("recall"), *(by_cosine.get(cosine) for cosine in ("0.3", "0.6", "0.9")))
    return (
        found["search"],
        *("" if recall is None else f"{recall:.4f}" for recall in recalls),
        f"{found['p50_ms']:.1f}",
        f"{found['p95_ms']:.1f}",
        f"{found['cpu_p50_ms']:.1f}",
    )
