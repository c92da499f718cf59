# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.gpu.table"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.words import packages, processors

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.gpu --output benchmarks/gpu/results.json"
LEAST_OF_LIMIT, LEAST_OF_LOOP = 0.70, 0.95
Report = dict[str, Any]


def limit(report: Report) -> float:
    """Return the frames per second that the matrix rate allows."""
    return float(report["matrix_flops_per_second"]) / float(report["flops_per_frame"])


def loop_rate(report: Report) -> float:
    """Return the best rate of the plain loop at any batch."""
    return max(float(row["frames_per_second"]) for row in report["loop"])


def best_served(report: Report) -> Report | None:
    """Return the served cell with the best rate, None where no cell has one."""
    measured = [cell for cell in report["served"] if "error" not in cell]
    return max(measured, key=lambda cell: float(cell["frames_per_second"]), default=None)


def summary(report: Report) -> str:
    """Return how the best served rate stands to the limit and to the loop."""
    best = best_served(report)
    if best is None:
        return "The served tower was not measured."
    rate = float(best["frames_per_second"])
    of_limit, of_loop = rate / limit(report), rate / loop_rate(report)
    goals = (
        f" The goals are {LEAST_OF_LIMIT:.0%} and {LEAST_OF_LOOP:.0%}."
        if report["device"] == "cuda"
        else ""
    )
    return (
        f"Best served: {rate:.0f} frames/s (requests of {best['batch']},"
        f" {best['concurrency']} at once), {of_limit:.0%} of the limit of {limit(report):.0f},"
        f" {of_loop:.0%} of the plain loop's {loop_rate(report):.0f}.{goals}"
    )


def basis(report: Report) -> str:
    """Return what was run, and the limit's two numbers."""
    gpu = report["device"] == "cuda"
    tower = {
        "torch": f"a {report['size']} tower with random weights, compiled by torch in the project's"
        " mixed bf16, in the embedded Triton's Python backend",
        "onnxruntime": "the bundled tiny tower in onnxruntime on the CPU, as the embedded profile"
        " serves it",
    }[report["runtime"]]
    product = "bf16" if gpu else "fp32"
    return (
        f"Served is {tower}, {report['instances']} instance(s), over gRPC on loopback. The limit is"
        f" {report['flops_per_frame'] / 1e9:.4g} GFLOP a frame at the"
        f" {report['matrix_flops_per_second'] / 1e12:.4g} TFLOP/s of one large {product} product."
    )


def not_measured(report: Report) -> str:
    """Return what a reader must not take from these numbers."""
    if report["device"] == "cuda":
        return (
            "Not measured: the container's backends, ONNX Runtime and TensorRT engines, which need"
            " NVIDIA's image."
        )
    return (
        "Not measured: anything on a GPU, and so neither of the goals, which are set for one. The"
        " machine was shared with other work: a served rate above the loop's is noise."
    )


def loop_table(report: Report) -> Iterator[str]:
    """Yield the lines of the table of the plain loop."""
    yield "| frames a pass | frames/s | of the limit | with copies to the device |"
    yield "|---|---|---|---|"
    for row in report["loop"]:
        copied = row.get("with_copies_frames_per_second")
        yield (
            f"| {row['batch']} | {row['frames_per_second']:.0f} |"
            f" {row['frames_per_second'] / limit(report):.0%} |"
            f" {f'{copied:.0f}' if copied else ''} |"
        )


def served_table(report: Report) -> Iterator[str]:
    """Yield the lines of the table of served rates."""
    yield "| frames a request | at once | frames/s | of limit | of loop | mean batch | GPU |"
    yield "|---|---|---|---|---|---|---|"
    for cell in report["served"]:
        head = f"| {cell['batch']} | {cell['concurrency']} |"
        if "error" in cell:
            yield f"{head} {cell['error']} | | | | |"
            continue
        rate, gpu = float(cell["frames_per_second"]), cell.get("gpu")
        busy = f"{gpu['utilization.gpu']:.0f} %, {gpu['power.draw']:.0f} W" if gpu else ""
        yield (
            f"{head} {rate:.0f} | {rate / limit(report):.0%} | {rate / loop_rate(report):.0%} |"
            f" {cell['mean_executed_batch']:.0f} | {busy} |"
        )


def page(report: Report) -> str:
    """Return RESULTS.md."""
    machine = report["machine"]
    where = machine["gpu"] or "no GPU"
    lines = [
        "# The served tower beside the tower alone",
        "",
        f"`{COMMAND}` on {where}, {processors(machine)}, Python"
        f" {machine['python']}, commit {machine['commit']}, {packages(machine)}.",
        "",
        summary(report),
        "",
        basis(report),
        "",
        not_measured(report),
        "",
        "## The tower in a plain loop",
        "",
        *loop_table(report),
        "",
        "## Served",
        "",
        "Mean batch: frames in an execution, by the server's own statistics.",
        "",
        *served_table(report),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    (FOLDER / "RESULTS.md").write_text(page(report))


if __name__ == "__main__":
    main()
