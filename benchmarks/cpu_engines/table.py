# SPDX-License-Identifier: Apache-2.0
"""Medians over the rounds, and the page of the results."""

import statistics
from collections.abc import Iterator
from typing import Any

from benchmarks.common.pages import MIB, document, number, packages, paragraph, processors, table
from benchmarks.common.record import Raw

FILES = ("tiny.json", "base.json")
OPTIONS = {"tiny.json": "", "base.json": " --export EXPORT"}
FIRST = "onnxruntime"
"""The runtime that the others are compared with, in the same run."""
WORST = {"peak_rss_bytes": max, "apart_from_alone": max, "worst_cosine": min}
"""Values of which the worst round counts, not the median."""
Report = dict[str, Any]
Row = dict[str, Any]


def command(file: str) -> str:
    """Return the command that measured a file."""
    return f"python -m benchmarks.cpu_engines{OPTIONS[file]} --output benchmarks/cpu_engines/{file}"


def machines(report: Report) -> list[Row]:
    """Return the machine of each run; an older file has one machine only."""
    found: list[Row] = report.get("machines", [report["machine"]] if "machine" in report else [])
    return found


def machine(report: Report) -> Row:
    """Return the machine of the last run, with the commits of all runs."""
    commits = dict.fromkeys(str(each["commit"]) for each in machines(report))
    return machines(report)[-1] | {"commit": ", ".join(commits)}


def medians(rows: list[Row], keys: tuple[str, ...]) -> list[Row]:
    """Return one row for each value of the keys; its numbers are medians, or the worst round."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in keys), []).append(row)
    return [
        {
            name: value
            if name in keys
            else WORST.get(name, statistics.median)([row[name] for row in group])
            for name, value in group[0].items()
            if not isinstance(value, str) or name in keys
        }
        for group in groups.values()
    ]


def cells(report: Report) -> list[Row]:
    """Return every runtime at every batch size and number of threads, with its ratio."""
    found = medians(report["parts"]["batches"], ("threads", "batch", "variant"))
    first = {(cell["threads"], cell["batch"]): cell for cell in found if cell["variant"] == FIRST}
    for cell in found:
        usual = first[cell["threads"], cell["batch"]]
        cell["ratio"] = cell["frames_per_second"] / usual["frames_per_second"]
    return sorted(found, key=lambda cell: (cell["threads"], cell["batch"]))


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    sections = (_section(file, raw[file]) for file in FILES if file in raw)
    return document(
        "# The vision tower on a CPU",
        paragraph(
            "Each runtime is measured in a process of its own, through the server's own code, on 32"
            " of the export's known pictures. The runtimes take turns; rates are medians of the"
            " rounds, the other numbers those of the worst round."
        ),
        paragraph(
            f"Ratio: the rate divided by that of {FIRST} (fp32) at the same batch and threads."
            " Cosine: to the checkpoint's own embeddings. Apart from alone: the length of the"
            " difference between a picture's embedding in a batch and alone; no score differs by"
            " more. Memory includes that of Python and of both libraries. `AVX-512 without AMX`:"
            " OpenVINO is limited to these instructions (`ONEDNN_MAX_CPU_ISA`), as on an older CPU."
        ),
        *(block for section in sections for block in section),
    )


def _section(file: str, report: Report) -> Iterator[str]:
    export, measured, parts = report["export"], machine(report), report["parts"]
    case = (2, 16, FIRST)
    rounds = sum((row["threads"], row["batch"], row["variant"]) == case for row in parts["batches"])
    yield f"## {export['checkpoint']}, {export['image_size_px']} px"
    yield paragraph(
        f"`{command(file)}`, {rounds} round{'s' if rounds > 1 else ''}, on"
        f" {processors(measured)}, commit {measured['commit']}, {packages(measured)}."
    )
    yield table(
        "threads | batch | engine | frames/s | ratio | CPU-ms a frame | peak RSS, MiB |"
        " worst cosine | apart from alone",
        map(_batch, cells(report)),
    )
    if parts["slices"]:
        yield "A batch of 128 frames, by the most rows that run at once:"
        slices = medians(parts["slices"], ("variant", "rows_at_once"))
        yield table("engine | rows at once | frames/s | peak RSS, MiB", map(_slice, slices))
    if parts["start"]:
        yield "Loading as in the server; bf16 passes the export's gate on this CPU:"
        yield table(
            "engine | to load, s | to load and judge, s | CPU while idle | peak RSS, MiB",
            map(_start, medians(parts["start"], ("variant",))),
        )


def _batch(cell: Row) -> tuple[object, ...]:
    return (
        cell["threads"],
        cell["batch"],
        cell["variant"],
        number(cell["frames_per_second"]),
        f"{cell['ratio']:.2f}",
        number(cell["cpu_ms_per_frame"]),
        _peak(cell),
        f"{cell['worst_cosine']:.7f}",
        f"{cell['apart_from_alone']:.1e}",
    )


def _slice(row: Row) -> tuple[object, ...]:
    return row["variant"], row["rows_at_once"], number(row["frames_per_second"]), _peak(row)


def _start(row: Row) -> tuple[object, ...]:
    load, gate = f"{row['load_seconds']:.2f}", f"{row['load_and_gate_seconds']:.2f}"
    return row["variant"], load, gate, f"{row['idle_cpu_share']:.2%}", _peak(row)


def _peak(row: Row) -> str:
    return f"{row['peak_rss_bytes'] / MIB:.0f}"
