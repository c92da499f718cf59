# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

import statistics
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

from benchmarks.common.pages import MIB, bullets, document, paragraph, processors, table
from benchmarks.common.record import Raw
from benchmarks.soak.verdict import Report, checks

COMMAND = "python -m benchmarks.soak --minutes {minutes:g} --output benchmarks/soak/results.json"
ROWS = 12


def minutes(report: Report) -> float:
    """Return the time under load, with the warm-up."""
    return float(report["plan"]["warm_up_seconds"] + report["plan"]["seconds"]) / 60


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    plan, machine, mix = report["plan"], report["machine"], report["plan"]["mix"]
    length, found = minutes(report), checks(report)
    failed = sum(not check.passed for check in found)
    return document(
        "# Half an hour of everything" if length >= 30 else f"# {length:g} minutes of everything",
        paragraph(
            f"**{len(found)} checks, {failed or 'none'} failed.** The embedded server under full"
            f" load: {mix['good']} threads with good requests (one of {plan['asks']}, over"
            f" {len(plan['clips'])} files, by {', '.join(plan['sources'])}; gRPC, HTTP, streams,"
            f" steps), {mix['faults']} with faults, bursts of more requests than it accepts, and"
            " decoders' processes killed and stopped."
        ),
        paragraph(
            "Before and after, without load, the server is at rest: idle sequences are forgotten"
            f" after {plan['idle_seconds']:g} s. Its memory, files and processes are compared with"
            f" those after a warm-up of {plan['warm_up_seconds'] / 60:g} minutes of the same load."
        ),
        paragraph(
            f"`{COMMAND.format(minutes=length)}`, on {processors(machine)}, commit"
            f" {machine['commit']}, seed {plan['seed']}."
        ),
        table(
            "check | | found",
            (
                (check.name, "passed" if check.passed else "**failed**", check.found)
                for check in found
            ),
        ),
        "## Over time",
        table(
            "minute | good/s | p50 ms | p99 ms | PSS MiB | shared memory MiB | open files |"
            " threads | processes | spool MiB | sequences | videos",
            _over_time(report),
        ),
        "## By process, at rest",
        table(
            "part | processes | PSS MiB before | after | threads | open files",
            _by_process(report["before"], report["after"]),
        ),
        *_requests(report["tally"]),
    )


def _over_time(report: Report) -> Iterator[tuple[str, ...]]:
    samples = report["samples"]
    edges = [round(index * len(samples) / ROWS) for index in range(ROWS + 1)]
    yield _row("at rest", [report["before"]])
    for begin, end in pairwise(edges):
        if part := samples[begin:end]:
            yield _row(f"{(part[-1]['seconds'] - samples[0]['seconds']) / 60:.1f}", part)
    yield _row("at rest", [report["after"]])


def _row(name: str, samples: list[dict[str, Any]]) -> tuple[str, ...]:
    """Return medians of some samples."""

    def median(value: Callable[[Any], float], decimals: int = 0) -> str:
        return f"{statistics.median(map(value, samples)):.{decimals}f}"

    load = ("", "", "")
    if "p50_ms" in samples[0]:
        rate = median(lambda s: s["good_per_second"], 1)
        load = (rate, median(lambda s: s["p50_ms"]), median(lambda s: s["p99_ms"]))
    return (
        name,
        *load,
        median(lambda s: sum(s["pss_mib"].values())),
        median(lambda s: s["shm_bytes"] / MIB),
        median(lambda s: sum(s["open_files"].values())),
        median(lambda s: sum(s["threads"].values())),
        median(lambda s: sum(s["processes"].values())),
        median(lambda s: s["spool"]["bytes"] / MIB, 1),
        median(lambda s: s.get("trireel_live_sequences", 0)),
        median(lambda s: s.get("trireel_open_videos", 0)),
    )


def _by_process(before: Report, after: Report) -> Iterator[tuple[object, ...]]:
    for kind, number in before["processes"].items():
        files = [
            sum(n for name, n in sample["open_files"].items() if name.startswith(f"{kind}:"))
            for sample in (before, after)
        ]
        yield (
            kind,
            number,
            f"{before['pss_mib'][kind]:.0f}",
            f"{after['pss_mib'].get(kind, 0):.0f}",
            f"{before['threads'][kind]} -> {after['threads'].get(kind, 0)}",
            f"{files[0]} -> {files[1]}",
        )


def _requests(tally: Report) -> Iterator[str]:
    good = _counts(tally["good"])
    yield "## Requests"
    yield f"Good requests: {good}. Decoders' processes: {_counts(tally['nuisances']) or 'none'}."
    rows = ((name, _counts(statuses)) for name, statuses in tally["faults"].items())
    yield table("fault | statuses", rows)
    yield bullets(tally["wrong"])


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
