# SPDX-License-Identifier: Apache-2.0
"""The page of the results."""

from benchmarks.common.pages import document, packages, paragraph, processors
from benchmarks.common.record import Raw

COMMAND = "python -m benchmarks.uploads"


def page(raw: Raw) -> str:
    """Return RESULTS.md."""
    report = raw["results.json"]
    machine = report["machine"]
    blocks = [
        "# Uploads: large, many at once, followed, and disturbed",
        paragraph(
            f"`{COMMAND}` on {processors(machine)}, {packages(machine)}, commit"
            f" {machine['commit']}. Sender, gateway and disk are on one machine, which did other"
            " work at the same time, so the CPU time stands beside the wall time."
        ),
    ]
    if large := report.get("large"):
        same = "bit for bit" if large["is_equal"] else "with another hash"
        blocks.append(
            paragraph(
                f"**A large file by tus**: {large['size_bytes'] / 1e9:g} GB in {large['requests']}"
                f" requests, {large['cuts']} of which were cut in the middle, ended {same} after"
                f" {large['seconds']:.0f} s ({large['gateway_cpu_seconds']:.0f} s of the gateway's"
                f" CPU). The gateway had {large['gateway_most_mib']:.0f} MiB at most."
            )
        )
    if many := report.get("parallel"):
        blocks.append(
            paragraph(
                f"**Many at once**: {many['uploads']} uploads of {many['size_bytes'] / 1e6:g} MB,"
                f" half as forms and half by tus, took {many['seconds']:.0f} s"
                f" ({many['gateway_cpu_seconds']:.0f} s of CPU). {many['equal']} have the right"
                f" hash. The gateway had {many['gateway_most_mib']:.0f} MiB at most."
            )
        )
    if heard := report.get("listeners"):
        blocks.append(
            paragraph(
                f"**Listeners**: of {heard['listeners']} SSE connections to one video,"
                f" {heard['got_all']} got all {heard['events']} events, half of them within"
                f" {heard['late_p50_ms']:.0f} ms and 99 % within {heard['late_p99_ms']:.0f} ms."
                f" {heard['that_never_read']} more connections never read. Writing an event took"
                f" {heard['write_p50_ms']:.1f} ms (p50), the gateway"
                f" {heard['gateway_cpu_seconds']:.1f} s of CPU for all of them, and"
                f" {heard['gateway_most_mib']:.0f} MiB at most."
            )
        )
    if killed := report.get("kills"):
        ended = ", ".join(f"{count} {state}" for state, count in killed["ended"].items())
        blocks.append(
            paragraph(
                f"**Kills**: {', '.join(killed['killed'])} were killed in turn during"
                f" {killed['uploads']} uploads, one of them a broken file. All"
                f" {killed['accepted']} were accepted after {killed['sends']} sends, and ended:"
                f" {ended}, after {killed['ended_seconds']:.0f} s. Reasons of failures:"
                f" {'; '.join(killed['reasons'])}."
            )
        )
    return document(*blocks)
