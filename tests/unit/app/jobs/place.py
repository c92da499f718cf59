# SPDX-License-Identifier: Apache-2.0
"""A job's surroundings: a server that answers by a script, a database, files, and a worker."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unit.client.loopback import Loopback
from unit.client.scripted import details, whole_video

from trireel_app.analyse.servers import ServerLimits
from trireel_app.engine.database import open_database
from trireel_app.engine.dbos_engine import DbosEngine
from trireel_app.jobs.job import Form, Job, JobSpec, JobState, RowKind
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.worker import Worker, WorkerOptions
from trireel_app.sources.source import VideoSource
from trireel_client import AsyncTrireelClient, Retry, Timeout

LONGEST_SECONDS = 60.0


@dataclass
class Place:
    """All that a job needs."""

    folder: Path
    server: Loopback
    url: str
    """Address of the database."""
    settled: list[tuple[int, str]] = field(default_factory=list)
    """Numbers and states of the videos that workers have settled."""

    def __post_init__(self) -> None:
        self.store = JobStore(open_database(self.url))
        self.server.script.answers |= {
            "server_info": lambda asked: details(),
            "video_analysis": lambda asked: whole_video(),
        }
        self.server.script.models_ready |= {"video_analysis": True, "server_info": True}

    def videos(self, count: int) -> list[VideoSource]:
        """Write files that stand for videos; each holds its number."""
        paths = [self.folder / f"{number}.mp4" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_bytes(b"video %d" % number)
        return [VideoSource(str(path)) for path in paths]

    def spec(self, **changes) -> JobSpec:
        """Return a request for JSONL."""
        values = {
            "output": str(self.folder / "out.jsonl"),
            "form": Form.JSONL,
            "rows": RowKind.CLIPS,
            "options": {},
        }
        return JobSpec(**{**values, **changes})

    @contextmanager
    def worker(self, lease_seconds: float = 15.0, **limits) -> Iterator[Worker]:
        """Run a worker for all jobs."""

        def make_client(url: str) -> AsyncTrireelClient:
            return AsyncTrireelClient(url, timeout=Timeout(5.0, 30.0), retries=Retry(1))

        options = WorkerOptions(
            (self.server.url,), make_client, ServerLimits(**limits), lease_seconds
        )
        engine = DbosEngine(self.store.database)
        with Worker(self.store, engine, options, self._note) as worker:
            yield worker

    def ended(self, worker: Worker, job_id: str) -> Job:
        """Tend a job until it has ended."""
        deadline = time.monotonic() + LONGEST_SECONDS
        while time.monotonic() < deadline:
            worker.tend()
            job = self.store.job(job_id)
            if job.state in (JobState.FINISHED, JobState.STOPPED):
                return job
            time.sleep(0.05)
        raise TimeoutError(f"the job has not ended: {job.progress}, {worker.trouble}")

    def _note(self, task, outcome) -> None:
        self.settled.append((task.number, outcome.state.value))


def number_of(asked) -> int:
    """Return the number of the video that a request brings."""
    return int(bytes(asked.inputs["VIDEO_DATA"][0]).split()[1])
