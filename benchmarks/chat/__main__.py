# SPDX-License-Identifier: Apache-2.0
"""Draw videos, index them, and ask sixty questions about them, with each kind of model.

search    no model: the answers list what the search found
tiny      the bundled model looks at pictures; no text model
forger    the same, and a text model that invents as many citations as it copies
random    the same, and a text model of random weights, behind `transformers serve`
"""

import json
import tempfile
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from benchmarks.chat.asker import ask_all, index
from benchmarks.chat.benchmark import BENCHMARK
from benchmarks.chat.forger import forger
from benchmarks.chat.questions import questions, segments, write_videos
from benchmarks.chat.random_model import RANDOM, random_model
from benchmarks.chat.score import totals
from benchmarks.common.machine import describe
from benchmarks.common.record import ROOT, write_raw
from benchmarks.common.server import running, served
from trireel_app.chat.limits import ChatLimits
from trireel_backend.launch.ports import Ports

WAYS = ("search", "tiny", "forger", "random")
TINY = ROOT / "export/vlm/checkpoint"
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
        folder, port = Path(temporary), Ports.free().http
        write_videos(folder / "videos")
        backends = folder / "backends.json"
        backends.write_text(json.dumps(_backends(folder, port)))
        command = served("--media", str(folder / "videos"), "--describe", str(backends))
        with running(command):
            keeper = index(folder / "videos", folder / "library", command.address)
            for way in arguments.ways:
                if way == "tiny" and not TINY.is_dir():
                    print(f"{TINY} is missing: `tiny` is left out", flush=True)
                    continue
                with _writer(way, folder, port):
                    # The other ways look at pictures, if the bundled model is there.
                    limits = ChatLimits(pictures=0) if way == "search" else ChatLimits()
                    answers = ask_all(keeper, command.address, questions(), limits)
                report["ways"][way] = {"totals": totals(answers), "answers": answers}
                print(way, report["ways"][way]["totals"], flush=True)
                write_raw(arguments.output, report)


def _backends(folder: Path, port: int) -> list[dict[str, Any]]:
    """Return the bundled model, which sees, and whatever writes on a port."""
    tiny = {"name": "tiny", "kind": "transformers", "model": str(TINY), "chats": False}
    writer = {
        "name": "writer",
        "kind": "openai",
        # `transformers serve` knows its one model by its folder; the forger takes any name.
        "model": str(folder / RANDOM),
        "url": f"http://127.0.0.1:{port}/v1",
        "sees": False,
        # Each question is sent: nothing is measured here of a backend that is left out.
        "failures": 1000,
    }
    return [*([tiny] if TINY.is_dir() else []), writer]


def _writer(way: str, folder: Path, port: int) -> AbstractContextManager[None]:
    if way == "forger":
        return forger(port)
    return random_model(folder, port) if way == "random" else nullcontext()


if __name__ == "__main__":
    main()
