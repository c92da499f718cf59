# SPDX-License-Identifier: Apache-2.0
"""Measure uploads, listeners and kills: each part by its name, or all of them."""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.uploads.benchmark import BENCHMARK
from benchmarks.uploads.kills import kills
from benchmarks.uploads.large import large, parallel
from benchmarks.uploads.listeners import listeners
from benchmarks.uploads.place import Place, gateway

PACKAGES = ("fastapi", "uvicorn", "python-multipart", "sqlalchemy")
PARTS: dict[str, Callable[[Place], Any]] = {
    "large": lambda place: large(place, 3 * 10**9, cuts=5),
    "parallel": lambda place: parallel(place, 200, 20 * 10**6),
    "listeners": lambda place: listeners(place, 1000, slow=10),
}
KILLS = "kills"


def main() -> None:
    """Measure, and write results.json after every part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, KILLS, []])
    parser.add_argument("--folder", type=Path, help="folder on the disk that is measured")
    arguments = parser.parse_args()
    output = BENCHMARK.folder / "results.json"
    for name in arguments.parts or [*PARTS, KILLS]:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            if name == KILLS:
                found = kills(Path(folder))
            else:
                with gateway(Path(folder) / "gateway") as place:
                    found = PARTS[name](place)
        print(name, found, flush=True)
        report = json.loads(output.read_text()) if output.exists() else {}
        report |= {name: found, "machine": describe(PACKAGES)}
        write_raw(output, report)


if __name__ == "__main__":
    main()
