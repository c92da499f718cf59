# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from typing import Any

from benchmarks.common.pages import document, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.describe --output benchmarks/describe/results.json"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Descriptions",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, commit {machine['commit']}. The bundled tiny"
            f" model on one thread, {report['questions']} descriptions of drawings a round,"
            f" {report['rounds']} rounds of each system in turn; the median round counts."
            " Transformers alone generates batches of the concurrency, without a server and without"
            " streaming. Tokens are those of the answers. The systems take turns, as the machine"
            " may be shared."
        ),
        table(
            "concurrency | served p50, ms | served p95, ms | served tokens/s | alone tokens/s"
            " | share",
            [_row(level) for level in report["levels"]],
        ),
    )


def _row(level: dict[str, Any]) -> tuple[object, ...]:
    served, alone = level["served"], level["alone"]
    return (
        level["concurrency"],
        f"{served['p50_ms']:.0f}",
        f"{served['p95_ms']:.0f}",
        f"{served['tokens_per_second']:.0f}",
        f"{alone['tokens_per_second']:.0f}",
        f"{level['share']:.2f}",
    )
