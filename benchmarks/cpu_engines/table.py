# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from tiny.json and base.json: python -m benchmarks.cpu_engines.table"""

import json
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.common.words import number, packages, processors

FOLDER = Path(__file__).parent
FILES = ("tiny.json", "base.json")
OPTIONS = {"tiny.json": "", "base.json": " --export EXPORT"}
FIRST = "onnxruntime"
"""What the others are compared with, in the same run."""
MIB = 2**20
Report = dict[str, Any]
Row = dict[str, Any]


def command(file: str) -> str:
    """Return the command that measured a file."""
    return f"python -m benchmarks.cpu_engines{OPTIONS[file]} --output benchmarks/cpu_engines/{file}"


def machines(report: Report) -> list[Row]:
    """Return what each run was measured on; a file may tell of its last one alone."""
    alone = [report["machine"]] if "machine" in report else []
    found: list[Row] = report.get("machines", alone)
    return found


def machine(report: Report) -> Row:
    """Return what the last run was measured on, with the commits of all of them."""
    commits = dict.fromkeys(str(one["commit"]) for one in machines(report))
    return machines(report)[-1] | {"commit": ", ".join(commits)}


def medians(rows: list[Row], keys: tuple[str, ...]) -> list[Row]:
    """Return one row for each value of the keys, in their first order; the rest are medians.

    Of a peak, a difference and a cosine it is the worst round.
    """
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    worst = {"peak_rss_bytes": max, "apart_from_alone": max, "worst_cosine": min}
    return [
        {
            name: value if name in keys else worst.get(name, statistics.median)(_all(group, name))
            for name, value in group[0].items()
            if not isinstance(value, str) or name in keys
        }
        for group in groups.values()
    ]


def _all(group: list[Row], name: str) -> list[float]:
    return [row[name] for row in group]


def cells(report: Report) -> list[Row]:
    """Return every engine at every batch size and number of threads, with its ratio."""
    found = medians(report["parts"]["batches"], ("threads", "batch", "variant"))
    first = {(c["threads"], c["batch"]): c for c in found if c["variant"] == FIRST}
    for cell in found:
        usual = first[cell["threads"], cell["batch"]]
        cell["ratio"] = cell["frames_per_second"] / usual["frames_per_second"]
    return sorted(found, key=lambda cell: (cell["threads"], cell["batch"]))


def _cells_table(report: Report) -> Iterator[str]:
    yield (
        "| threads | batch | engine | frames/s | ratio | CPU-ms a frame | peak RSS, MiB |"
        " worst cosine | apart from alone |"
    )
    yield "|---|---|---|---|---|---|---|---|---|"
    for cell in cells(report):
        yield (
            f"| {cell['threads']} | {cell['batch']} | {cell['variant']} |"
            f" {number(cell['frames_per_second'])} | {cell['ratio']:.2f} |"
            f" {number(cell['cpu_ms_per_frame'])} | {cell['peak_rss_bytes'] / MIB:.0f} |"
            f" {cell['worst_cosine']:.7f} | {cell['apart_from_alone']:.1e} |"
        )


def _slices_table(report: Report) -> Iterator[str]:
    yield "| engine | rows at once | frames/s | peak RSS, MiB |"
    yield "|---|---|---|---|"
    for row in medians(report["parts"]["slices"], ("variant", "rows_at_once")):
        yield (
            f"| {row['variant']} | {row['rows_at_once']} | {number(row['frames_per_second'])} |"
            f" {row['peak_rss_bytes'] / MIB:.0f} |"
        )


def _start_table(report: Report) -> Iterator[str]:
    yield "| engine | to load, s | to load and judge, s | CPU while idle | peak RSS, MiB |"
    yield "|---|---|---|---|---|"
    for row in medians(report["parts"]["start"], ("variant",)):
        yield (
            f"| {row['variant']} | {row['load_seconds']:.2f} | {row['load_and_gate_seconds']:.2f} |"
            f" {row['idle_cpu_share']:.2%} | {row['peak_rss_bytes'] / MIB:.0f} |"
        )


def _section(file: str, report: Report) -> Iterator[str]:
    export, measured = report["export"], machine(report)
    rounds = sum(
        (row["threads"], row["batch"], row["variant"]) == (2, 16, FIRST)
        for row in report["parts"]["batches"]
    )
    yield f"## {export['checkpoint']}, {export['image_size_px']} px"
    yield ""
    yield (
        f"`{command(file)}`, {rounds} round{'s' if rounds > 1 else ''}, on"
        f" {processors(measured)}, commit {measured['commit']}, {packages(measured)}."
    )
    yield ""
    yield from _cells_table(report)
    yield ""
    if report["parts"]["slices"]:
        yield "A batch of 128 frames, by the most rows that are run at once:"
        yield ""
        yield from _slices_table(report)
        yield ""
    if report["parts"]["start"]:
        yield "Loading it as the server does; bf16 is judged by the export's gate on this CPU:"
        yield ""
        yield from _start_table(report)
        yield ""


def page(reports: dict[str, Report]) -> str:
    """Return RESULTS.md."""
    lines = [
        "# The vision tower on a CPU",
        "",
        "Each engine in a process of its own, through the server's own code, on 32 of the export's"
        " known pictures; rounds take turns, rates are medians, the rest is the worst round. Ratio:"
        f" to {FIRST} (fp32) at the same batch and threads. Cosine: to the checkpoint's own"
        " embeddings. Apart from alone: the length of the difference between a picture's embedding"
        " in a batch and alone, which bounds the difference of any score. Memory includes Python's"
        " and both libraries' own. `AVX-512 without AMX`: OpenVINO told to use no more"
        " (`ONEDNN_MAX_CPU_ISA`), as on a CPU that has no more.",
        "",
    ]
    for file, report in reports.items():
        lines += _section(file, report)
    return "\n".join(lines[:-1]) + "\n"


def main() -> None:
    """Read the raw numbers and write RESULTS.md beside them."""
    files = [FOLDER / name for name in FILES if (FOLDER / name).exists()]
    reports = {path.name: json.loads(path.read_text()) for path in files}
    (FOLDER / "RESULTS.md").write_text(page(reports))


if __name__ == "__main__":
    main()
