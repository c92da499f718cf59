# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.common.pages import MIB, document, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.precision --output benchmarks/precision/results.json"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# Precision: its cost in accuracy, and the fastest form of the graph",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, commit {machine['commit']}. `checkpoint` is the"
            " tiny one, trained on drawings; the others have random weights in the published sizes."
            " The machine did other work at the same time."
        ),
        "## Through the gate",
        paragraph(
            "42 pictures (patterns, photographs, drawn places; none of them square) against the"
            " checkpoint's own processor and PyTorch in fp32. The gate needs a cosine of 0.999"
            " (fp32: 0.9999), and two texts may change places only if their cosines differ by at"
            " most 0.05 standard deviations (sd). bf16 is emulated: computed in fp32 and rounded"
            " after every operator."
        ),
        table(
            "checkpoint | precision | worst cosine | of | widest swap of texts |"
            " vision tower, MiB | export and gate, s",
            map(_gate, report["gates"]),
        ),
        "## Attention as products or as one operator",
        "onnxruntime on the CPU, fp32, batches of 16, CPU milliseconds a frame, median.",
        table("checkpoint | form | ms | ratio", _forms(report["forms"])),
    )


def _gate(gate: dict[str, Any]) -> tuple[str, ...]:
    export = (gate["checkpoint"], gate["precision"])
    if gate["worst_cosine"] is None:
        return (*export, f"rejected: {gate['worst_picture']}", "", "", "", "")
    return (
        *export,
        f"{gate['worst_cosine']:.7f}",
        gate["worst_picture"],
        gate["order_of_texts"].removeprefix("order of texts, swaps of "),
        f"{gate['vision_bytes'] / MIB:.0f}",
        f"{gate['seconds']:.0f}",
    )


def _forms(forms: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield the forms with their ratio to the first one of the same checkpoint."""
    first: dict[str, float] = {}
    for form in forms:
        median = statistics.median(form["cpu_ms_per_frame"])
        base = first.setdefault(form["checkpoint"], median)
        yield form["checkpoint"], form["form"], f"{median:.2f}", f"{median / base:.2f}"
