# SPDX-License-Identifier: Apache-2.0
"""A job whose worker, server and database are killed in the middle, beside an undisturbed one."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.postgres import Postgres

from benchmarks.durability.place import OUTPUT, Place, files_of
from trireel_app.engine.database import open_database
from trireel_app.jobs.job import JobState
from trireel_app.jobs.store import JobStore

POLL_SECONDS = 0.1
LONGEST_SECONDS = 1800.0
SEED = 14
WORKER_KILLS = (0.15, 0.4, 0.8)
TRITON_KILL = 0.55
DATABASE_KILL = 0.7
"""Shares of the videos at which something is killed."""


@dataclass(frozen=True)
class Kill:
    """One kill."""

    name: str
    """What is killed."""
    share: float
    """Share of the videos that are settled then."""
    ends_worker: bool = False
    """True if the worker has to be started again."""
    run: Callable[[], None] = lambda: None
    """Kills it, unless it is the worker."""


def undisturbed(place: Place, clips: Sequence[Path], name: str, *options: str) -> dict[str, bytes]:
    """Run a job without faults; return its files."""
    output = place.folder / name / OUTPUT
    database = str(place.folder / f"{name}.sqlite")
    with place.batch(clips, output, database, *options) as process:
        process.communicate(timeout=LONGEST_SECONDS)
    return files_of(output)


def crashed(
    place: Place, clips: Sequence[Path], name: str, database: str, server: Postgres | None
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Run a job with all kills; return its files, and what happened."""
    output = place.folder / name / OUTPUT
    kills = [Kill("worker", share, ends_worker=True) for share in WORKER_KILLS]
    kills.append(Kill("triton", TRITON_KILL, run=place.kill_triton))
    if server is not None:
        kills.append(Kill("postgresql", DATABASE_KILL, run=lambda: _restart(server)))
    kills.sort(key=lambda kill: kill.share)
    began = time.monotonic()
    store = JobStore(open_database(database))
    done: list[dict[str, Any]] = []
    while True:
        with place.batch(clips, output, database) as process:
            while kills and process.poll() is None:
                settled = _settled(store)
                if settled < kills[0].share * len(clips):
                    time.sleep(POLL_SECONDS)
                    continue
                kill = kills.pop(0)
                done.append({"killed": kill.name, "settled": settled})
                if kill.ends_worker:
                    process.kill()
                    process.wait()
                    break
                kill.run()
            else:
                process.communicate(timeout=LONGEST_SECONDS)
                break
    seconds = time.monotonic() - began
    facts = {"kills": done, "seconds": seconds, "exit_status": process.returncode}
    facts["unfinished_jobs"] = _left(store)
    store.database.dispose()
    return files_of(output), facts


def judged(
    files: dict[str, bytes], clips: Sequence[Path], broken: set[Path], plain: dict[str, bytes]
) -> dict[str, Any]:
    """Return what is wrong with a job's files: nothing, if all counts are zero."""
    rows = [json.loads(line)["video_path"] for line in _lines(files, OUTPUT)]
    failed = [json.loads(line)["video_path"] for line in _lines(files, f"{OUTPUT}.failed.jsonl")]
    seen = Counter([*rows, *failed])
    return {
        "videos": len(clips),
        "answers": len(rows),
        "failures": len(failed),
        "lost": len(set(map(str, clips)) - set(seen)),
        "twice": sum(count > 1 for count in seen.values()),
        "wrongly_failed": len(set(failed) ^ set(map(str, broken))),
        "files_that_differ": sorted(
            name for name in plain.keys() | files.keys() if plain.get(name) != files.get(name)
        ),
        "answers_that_differ": len(
            set(_lines(plain, OUTPUT)) ^ set(_lines(files, OUTPUT)),
        ),
    }


def shuffled(clips: Sequence[Path]) -> list[Path]:
    """Return the clips in another order."""
    return random.Random(SEED).sample(list(clips), len(clips))


def _lines(files: dict[str, bytes], name: str) -> list[bytes]:
    return files.get(name, b"").splitlines()


def _settled(store: JobStore) -> int:
    return sum(job.progress.settled for job in store.jobs())


def _left(store: JobStore) -> int:
    """Return the jobs that have not finished."""
    return sum(job.state is not JobState.FINISHED for job in store.jobs())


def _restart(server: Postgres) -> None:
    server.kill()
    time.sleep(2)
    server.start()
