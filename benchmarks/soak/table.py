# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.soak.table"""

import json
import statistics
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.common.words import processors
from benchmarks.soak.verdict import Report, checks

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.soak --minutes {minutes:g} --output benchmarks/soak/results.json"
ROWS = 12
MIB = 2**20


def page(report: Report) -> str:
    """Return RESULTS.md."""
    return "\n".join([*_head(report), "", *_verdict(report), "", *_over_time(report), "",
                      *_memory(report), "", *_asked(report)]) + "\n"  # fmt: skip


def _head(report: Report) -> Iterator[str]:
    plan, machine = report["plan"], report["machine"]
    minutes = (plan["warm_up_seconds"] + plan["seconds"]) / 60
    mix = plan["mix"]
    found = checks(report)
    failed = sum(not check.passed for check in found)
    yield (
        "# Half an hour of everything" if minutes >= 30 else f"# {minutes:g} minutes of everything"
    )
    yield ""
    yield (
        f"**{len(found)} checks, {failed or 'none'} failed.** The embedded server under full load:"
        f" {mix['good']} threads with good requests (one of {plan['asks']}, over"
        f" {len(plan['clips'])} files, by {', '.join(plan['sources'])}; gRPC, HTTP, streams,"
        f" steps), {mix['faults']} with faults, bursts of more requests than it takes in, and"
        " decoders' processes killed and stopped. Before and after, without load, the server is at"
        " rest: idle sequences are forgotten"
        f" after {plan['idle_seconds']:g} s, and what is held is compared with what was held after"
        f" a warm-up of {plan['warm_up_seconds'] / 60:g} minutes of the same."
    )
    yield ""
    yield (
        f"`{COMMAND.format(minutes=minutes)}`, on {processors(machine)}, commit"
        f" {machine['commit']}, seed {plan['seed']}."
    )


def _verdict(report: Report) -> Iterator[str]:
    yield "| check | | found |"
    yield "|---|---|---|"
    for check in checks(report):
        yield f"| {check.name} | {'passed' if check.passed else '**failed**'} | {check.found} |"


def _over_time(report: Report) -> Iterator[str]:
    yield "## Over time"
    yield ""
    yield (
        "| minute | good/s | p50 ms | p99 ms | PSS MiB | shared memory MiB | open files | threads |"
        " processes | spool MiB | sequences | videos |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    yield _row("at rest", [report["before"]])
    samples = report["samples"]
    edges = [round(index * len(samples) / ROWS) for index in range(ROWS + 1)]
    for begin, end in pairwise(edges):
        if part := samples[begin:end]:
            yield _row(f"{(part[-1]['seconds'] - samples[0]['seconds']) / 60:.1f}", part)
    yield _row("at rest", [report["after"]])


def _row(name: str, samples: list[dict[str, Any]]) -> str:
    """Return the medians of some samples; of what is seldom, the most."""

    def median(number: Any, decimals: int = 0) -> str:
        return f"{statistics.median(map(number, samples)):.{decimals}f}"

    load = "| | | |"
    if "p50_ms" in samples[0]:
        load = (
            f"| {median(lambda s: s['good_per_second'], 1)} | {median(lambda s: s['p50_ms'])} |"
            f" {median(lambda s: s['p99_ms'])} |"
        )
    return (
        f"| {name} {load} {median(lambda s: sum(s['pss_mib'].values()))} |"
        f" {median(lambda s: s['shm_bytes'] / MIB)} |"
        f" {median(lambda s: sum(s['open_files'].values()))} |"
        f" {median(lambda s: sum(s['threads'].values()))} |"
        f" {median(lambda s: sum(s['processes'].values()))} |"
        f" {median(lambda s: s['spool']['bytes'] / MIB, 1)} |"
        f" {median(lambda s: s.get('trireel_live_sequences', 0))} |"
        f" {median(lambda s: s.get('trireel_open_videos', 0))} |"
    )


def _memory(report: Report) -> Iterator[str]:
    before, after = report["before"], report["after"]
    yield "## By process, at rest"
    yield ""
    yield "| | processes | PSS MiB before | after | threads | open files |"
    yield "|---|---|---|---|---|---|"
    for kind, number in before["processes"].items():
        files = [
            sum(n for name, n in sample["open_files"].items() if name.startswith(f"{kind}:"))
            for sample in (before, after)
        ]
        yield (
            f"| {kind} | {number} | {before['pss_mib'][kind]:.0f} |"
            f" {after['pss_mib'].get(kind, 0):.0f} | {before['threads'][kind]} ->"
            f" {after['threads'].get(kind, 0)} | {files[0]} -> {files[1]} |"
        )


def _asked(report: Report) -> Iterator[str]:
    tally = report["tally"]
    counts = ", ".join(f"{number} {way}" for way, number in sorted(tally["good"].items()))
    nuisances = ", ".join(f"{n} {kind}" for kind, n in sorted(tally["nuisances"].items()))
    yield "## What was asked"
    yield ""
    yield f"Good requests: {counts}. Decoders' processes: {nuisances or 'none'}."
    yield ""
    yield "| fault | what was said |"
    yield "|---|---|"
    for name, said in tally["faults"].items():
        words = ", ".join(f"{number} {status}" for status, number in said.items())
        yield f"| {name} | {words} |"
    for words in tally["wrong"]:
        yield f"\n- {words}"


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    (FOLDER / "RESULTS.md").write_text(page(report))


if __name__ == "__main__":
    main()
