# SPDX-License-Identifier: Apache-2.0
"""Write RESULTS.md from results.json: python -m benchmarks.long_video.table"""

import json
import statistics
from pathlib import Path
from typing import Any

from benchmarks.common.words import processors

FOLDER = Path(__file__).parent
COMMAND = "python -m benchmarks.long_video --output benchmarks/long_video/results.json"


def line(run: dict[str, Any]) -> str:
    """Return a row; memory is that of the first tenth of the run against that of the last."""
    pss = run["pss_mib"]
    tenth = max(1, len(pss) // 10)
    first, last = statistics.median(pss[:tenth]), statistics.median(pss[-tenth:])
    seconds = run["minutes"] * 60
    return (
        f"| {run['minutes']} | {run['extractors']} | {run['wall_seconds']:.1f} |"
        f" {seconds / run['wall_seconds']:.0f} | {1000 * run['cpu_seconds'] / run['chunks']:.0f} |"
        f" {first:.0f} | {last:.0f} | {max(pss):.0f} |"
    )


def main() -> None:
    """Read results.json and write RESULTS.md beside it."""
    report = json.loads((FOLDER / "results.json").read_text())
    runs, machine = report["runs"], report["machine"]
    lines = [
        "# Long videos through the embedded server",
        "",
        f"`{COMMAND}`, {runs[0]['clip']}, on {processors(machine)},"
        f" commit {machine['commit']}. One request for the whole video, alone on the server; PSS of"
        " all its processes, in MiB.",
        "",
        "| minutes | extractors | wall seconds | video-seconds a second | CPU ms a chunk of 10 s |"
        " PSS, first tenth | last tenth | most |",
        "|---|---|---|---|---|---|---|---|",
        *(line(run) for run in runs),
    ]
    (FOLDER / "RESULTS.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
