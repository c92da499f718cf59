# SPDX-License-Identifier: Apache-2.0
"""Shares of the limit and of the loop, and the page of the results."""

from collections.abc import Iterator
from typing import Any

from benchmarks.common.pages import document, packages, paragraph, processors, table
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.gpu --output benchmarks/gpu/results.json"
LEAST_OF_LIMIT, LEAST_OF_LOOP = 0.70, 0.95
Report = dict[str, Any]
TOWERS = {
    "torch": "a {size} tower with random weights, compiled by torch in the project's mixed bf16, in"
    " the embedded Triton's Python backend",
    "onnxruntime": "the bundled tiny tower in onnxruntime on the CPU, as in the embedded profile",
}


def limit(report: Report) -> float:
    """Return the frames per second that the matrix rate allows."""
    return float(report["matrix_flops_per_second"]) / float(report["flops_per_frame"])


def loop_rate(report: Report) -> float:
    """Return the best rate of the plain loop at any batch."""
    return max(float(row["frames_per_second"]) for row in report["loop"])


def best_served(report: Report) -> Report | None:
    """Return the served cell with the best rate; None if no cell has a rate."""
    measured = [cell for cell in report["served"] if "error" not in cell]
    return max(measured, key=lambda cell: float(cell["frames_per_second"]), default=None)


def not_measured(report: Report) -> str:
    """Return what these numbers do not show."""
    if report["device"] == "cuda":
        return (
            "Not measured: the container's backends, ONNX Runtime and TensorRT engines, which need"
            " NVIDIA's image."
        )
    return (
        "Not measured: anything on a GPU, and so neither of the two goals, which are for a GPU. The"
        " machine did other work at the same time: a served rate above the loop's is noise."
    )


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    return document(
        "# The served tower beside the tower alone",
        paragraph(
            f"`{COMMAND}` on {machine['gpu'] or 'no GPU'}, {processors(machine)}, Python"
            f" {machine['python']}, commit {machine['commit']}, {packages(machine)}."
        ),
        paragraph(_summary(report)),
        paragraph(
            f"Served is {TOWERS[report['runtime']].format(size=report['size'])},"
            f" {report['instances']} instance(s), over gRPC on loopback. The limit is"
            f" {report['flops_per_frame'] / 1e9:.4g} GFLOP a frame at the"
            f" {report['matrix_flops_per_second'] / 1e12:.4g} TFLOP/s of one large"
            f" {'bf16' if report['device'] == 'cuda' else 'fp32'} product."
        ),
        paragraph(not_measured(report)),
        "## The tower in a plain loop",
        table("frames a pass | frames/s | of the limit | with copies to the device", _loop(report)),
        "## Served",
        "Mean batch: frames in an execution, by the server's own statistics.",
        table(
            "frames a request | at once | frames/s | of limit | of loop | mean batch",
            _served(report),
        ),
    )


def _summary(report: Report) -> str:
    """Return the best served rate as shares of the limit and of the loop."""
    best = best_served(report)
    if best is None:
        return "The served tower was not measured."
    rate = float(best["frames_per_second"])
    of_limit, of_loop = rate / limit(report), rate / loop_rate(report)
    goals = f" The goals are {LEAST_OF_LIMIT:.0%} and {LEAST_OF_LOOP:.0%}."
    return (
        f"Best served: {rate:.0f} frames/s (requests of {best['batch']},"
        f" {best['concurrency']} at once), {of_limit:.0%} of the limit of {limit(report):.0f},"
        f" {of_loop:.0%} of the plain loop's {loop_rate(report):.0f}."
        f"{goals if report['device'] == 'cuda' else ''}"
    )


def _loop(report: Report) -> Iterator[tuple[object, ...]]:
    for row in report["loop"]:
        rate, copied = row["frames_per_second"], row.get("with_copies_frames_per_second")
        share = f"{rate / limit(report):.0%}"
        yield row["batch"], f"{rate:.0f}", share, f"{copied:.0f}" if copied else ""


def _served(report: Report) -> Iterator[tuple[object, ...]]:
    for cell in report["served"]:
        head = (cell["batch"], cell["concurrency"])
        if "error" in cell:
            yield (*head, cell["error"], "", "", "")
            continue
        rate = float(cell["frames_per_second"])
        shares = (f"{rate / limit(report):.0%}", f"{rate / loop_rate(report):.0%}")
        yield (*head, f"{rate:.0f}", *shares, f"{cell['mean_executed_batch']:.0f}")
