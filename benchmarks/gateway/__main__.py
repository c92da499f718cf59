# SPDX-License-Identifier: Apache-2.0
"""Put a made-up video into a library, and request its results by hand and through the gateway."""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.common.gateway import gateway_process
from benchmarks.common.machine import describe
from benchmarks.common.record import write_raw
from benchmarks.gateway.benchmark import BENCHMARK
from trireel_app.engine.database import open_database
from trireel_app.gateway.access.keys import KeyStore
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.uploads import UploadRow, Uploads, UploadState, new_id
from trireel_app.library import Checkpoint, Frames, Library, Scene, Stretch, VideoRecord
from trireel_app.library.read import ANSWER, entry_and_file

PACKAGES = ("fastapi", "starlette", "uvicorn", "sqlalchemy")
REQUESTS = 500
CHUNKS = 60  # of an answer: ten minutes of video
FRAMES, WIDTH = 96, 768
PICTURE_BYTES = 20_000


def stored_video(folder: Path) -> str:
    """Put a video with an answer of ten minutes into the library; return its id."""
    video_id = new_id()
    chunk = {
        "frame_timestamps_seconds": [index * 0.625 for index in range(16)],
        "frame_pts": list(range(16)),
        "scene_trace": [0.0123456] * 16,
        "tags": [{"text": f"tag {k}", "score": 0.1, "probability": 0.5} for k in range(5)],
    }
    embeddings = np.eye(FRAMES, WIDTH, dtype=np.float32)
    of_frames = np.zeros(FRAMES, np.int32)
    scene = Scene(
        start_seconds=0.0,
        end_seconds=600.0,
        embedding=embeddings[0],
        representative_seconds=1.0,
        thumbnail=bytes(PICTURE_BYTES),
    )
    record = VideoRecord(
        video_id=video_id,
        uri="a.mp4",
        start_seconds=0.0,
        duration_seconds=600.0,
        checkpoint=Checkpoint("made-up", "0", WIDTH),
        frames=Frames(
            np.arange(FRAMES, dtype=np.float64),
            np.arange(FRAMES),
            of_frames,
            of_frames,
            embeddings,
        ),
        chunks=(Stretch(start_seconds=0.0, end_seconds=600.0, embedding=embeddings[0]),),
        scenes=(scene,),
        answer={"duration_seconds": 600.0, "chunks": [chunk] * CHUNKS, "shots": []},
    )
    Keeper(Library(folder / "library")).put(record)
    return video_id


def key_of(folder: Path, video_id: str) -> str:
    """Give the video to an owner; return the owner's key."""
    database = open_database(str(folder / "jobs.sqlite"))
    JobStore(database)
    now = time.time()
    Uploads(database).add(
        UploadRow(
            id=video_id, owner="me", name="a", uri="a", state=UploadState.DONE, created_at=now
        )
    )
    key = KeyStore(database).create("me")
    database.dispose()
    return key


def measured(way: str, call: Callable[[], object], count: int) -> dict[str, Any]:
    """Return the times of calls, one after another."""
    call()  # opens files and connections
    times_ms = []
    for _ in range(count):
        began = time.perf_counter()
        call()
        times_ms.append((time.perf_counter() - began) * 1000)
    p95_ms = statistics.quantiles(times_ms, n=20)[-1]
    return {"way": way, "p50_ms": statistics.median(times_ms), "p95_ms": p95_ms}


def run(folder: Path, output: Path, count: int) -> None:
    """Measure, and write the raw numbers."""
    load = os.getloadavg()[0]
    video = stored_video(folder)
    key = key_of(folder, video)
    library = Library(folder / "library")
    with (
        gateway_process(folder, "--audit-file", folder / "audit.jsonl") as (url, _),
        httpx.Client(base_url=f"{url}/v1/videos/{video}") as client,
    ):
        client.headers["Authorization"] = f"Bearer {key}"
        answer = client.get("/result").raise_for_status()
        known = {"If-None-Match": answer.headers["etag"]}
        client.get("/scenes/0/thumbnail").raise_for_status()
        ways = [
            measured("file by hand", lambda: entry_and_file(library, video, ANSWER), count),
            measured("result", lambda: client.get("/result"), count),
            measured("unchanged", lambda: client.get("/result", headers=known), count),
            measured("picture", lambda: client.get("/scenes/0/thumbnail"), count),
        ]
    report = {
        "machine": describe(PACKAGES),
        "requests": count,
        "result_bytes": len(answer.content),
        "load": load,
        "cores": os.cpu_count(),
        "ways": ways,
    }
    write_raw(output, report)


def main() -> None:
    """Measure, and write the raw numbers."""
    parser = BENCHMARK.parser()
    parser.add_argument("--requests", type=int, default=REQUESTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(Path(folder), arguments.output, arguments.requests)


if __name__ == "__main__":
    main()
