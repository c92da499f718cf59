# SPDX-License-Identifier: Apache-2.0
"""Draw videos, index them, and ask sixty questions about them, with each kind of model.

search    no model: the answers list what the search found
tiny      the bundled model looks at pictures; no text model
forger    the same, and a text model that invents as many citations as it copies
random    the same, and a text model of random weights, behind `transformers serve`
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.chat.asker import ask_all, index
from benchmarks.chat.benchmark import BENCHMARK
from benchmarks.chat.forger import forger
from benchmarks.chat.questions import questions, segments, write_videos
from benchmarks.chat.random_model import random_model
from benchmarks.chat.score import totals
from benchmarks.common.machine import describe
from benchmarks.common.record import ROOT, write_raw
from benchmarks.common.server import running, served

WAYS = ("search", "tiny", "forger", "random")
TINY = ROOT / "export/vlm/backends.json"
PACKAGES = ("lancedb", "numpy", "onnxruntime", "torch", "transformers")


def main() -> None:
    """Measure, and write the raw numbers."""
    parser = BENCHMARK.parser()
    parser.add_argument("--ways", nargs="*", choices=WAYS, default=WAYS)
    arguments = parser.parse_args()
    report: dict[str, Any] = {
        "machine": describe(PACKAGES),
        "videos": len({segment.video for segment in segments()}),
        "scenes": len(segments()),
        "ways": {},
    }
    if arguments.output.exists() and set(arguments.ways) != set(WAYS):
        report["ways"] = json.loads(arguments.output.read_text())["ways"]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_videos(folder / "videos")
        for way in arguments.ways:
            report["ways"][way] = _measured(way, folder)
            print(way, report["ways"][way]["totals"], flush=True)
            write_raw(arguments.output, report)


def _measured(way: str, folder: Path) -> dict[str, Any]:
    with _backends(way, folder) as backends:
        options = ["--describe", str(backends)] if backends else []
        command = served("--media", str(folder / "videos"), *options)
        with running(command):
            keeper = index(
                folder / "videos",
                folder / f"library-{way}",
                command.address,
                with_descriptions=backends is not None,
            )
            answers = ask_all(keeper, command.address, questions())
    return {"totals": totals(answers), "answers": answers}


@contextmanager
def _backends(way: str, folder: Path) -> Iterator[Path | None]:
    """Yield the file of backends of a way; None if it has no models."""
    file = folder / f"{way}.json"
    if way == "search":
        yield None
    elif way == "tiny":
        yield TINY
    else:
        with forger() if way == "forger" else random_model(folder) as url:
            tiny = {**json.loads(TINY.read_text())[0], "model": str(TINY.parent / "checkpoint")}
            writer = {"name": way, "kind": "openai", "model": way, "url": url, "sees": False}
            file.write_text(json.dumps([tiny, writer]))
            yield file


if __name__ == "__main__":
    main()
