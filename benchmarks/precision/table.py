# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.precision.table"""

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.common.words import processors

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.precision --output benchmarks/precision/results.json"


def gate_row(gate: dict[str, Any]) -> str:
    """Return how one export came through its gate."""
    row = [gate["checkpoint"], gate["precision"]]
    if gate["worst_cosine"] is None:
        return f"| {' | '.join(row)} | refused: {gate['worst_picture']} | | | |"
    swap = gate["order_of_texts"].removeprefix("order of texts, swaps of ")
    mib = gate["vision_bytes"] / 2**20
    return (
        f"| {' | '.join(row)} | {gate['worst_cosine']:.7f} | {gate['worst_picture']} | {swap} |"
        f" {mib:.0f} | {gate['seconds']:.0f} |"
    )


def form_rows(forms: list[dict[str, Any]]) -> list[str]:
    """Return the forms with their ratio to the first of the same checkpoint."""
    rows, first = [], {}
    for form in forms:
        median = statistics.median(form["cpu_ms_per_frame"])
        base = first.setdefault(form["checkpoint"], median)
        rows.append(
            f"| {form['checkpoint']} | {form['form']} | {median:.2f} | {median / base:.2f} |"
        )
    return rows


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    machine = report["machine"]
    lines = [
        "# Precision: what it costs in accuracy, and which form of the graph is fastest",
        "",
        f"`{COMMAND}` on {processors(machine)}, commit"
        f" {machine['commit']}. `checkpoint` is the tiny one, trained on drawings; the others have"
        " random weights in the published sizes. The machine was shared with other work.",
        "",
        "## Through the gate",
        "",
        "42 pictures (patterns, photographs, drawn places; none square) against the checkpoint's"
        " own processor and PyTorch in fp32. Needed: cosine 0.999 (fp32: 0.9999), and texts may"
        " change places only within 0.05 standard deviations (sd) of their cosines. bf16 is"
        " emulated: computed in fp32 and rounded after every operator.",
        "",
        "| checkpoint | precision | worst cosine | of | widest swap of texts | vision tower, MiB |"
        " export and gate, s |",
        "|---|---|---|---|---|---|---|",
        *(gate_row(gate) for gate in report["gates"]),
        "",
        "## Attention written out or as one operator",
        "",
        "onnxruntime on the CPU, fp32, batches of 16, CPU milliseconds a frame, median.",
        "",
        "| checkpoint | form | ms | ratio |",
        "|---|---|---|---|",
        *form_rows(report["forms"]),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
