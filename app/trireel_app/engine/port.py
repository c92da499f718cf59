# SPDX-License-Identifier: Apache-2.0
"""What jobs need of a durable engine: few calls, so that another engine can take its place."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

Answer = Mapping[str, Any]
"""Small JSON that an attempt returns, and that the engine keeps until the task is settled."""


class TryAgain(Exception):
    """An attempt failed for a reason that may pass."""


@dataclass(frozen=True)
class Task:
    """One video of a job."""

    job_id: str
    """Name of the job."""
    number: int
    """Position of the video in the job, from 0."""
    round: int
    """Number of times that the video was given back to the engine before."""
    attempts: int
    """Attempts in all, if each fails for a reason that may pass."""

    @property
    def id(self) -> str:
        """Name of the task: the engine runs one task of a name."""
        return f"{self.job_id}/{self.number}/{self.round}"


@dataclass(frozen=True)
class QueueLimits:
    """Limits of one job's queue."""

    per_worker: int
    """Tasks that one worker claims at once."""
    in_flight: int | None = None
    """Tasks in flight over all workers; None for any number."""
    per_minute: float | None = None
    """Tasks that may begin in a minute over all workers; None for any number."""


class Runner(Protocol):
    """The work of a task; its methods run in the engine's event loop."""

    async def attempt(self, task: Task, is_last: bool) -> Answer:
        """Make one attempt; raises TryAgain, but not if `is_last` is True."""

    async def settle(self, task: Task, answer: Answer) -> None:
        """Keep the answer; may be called twice with one answer."""


class Engine(Protocol):
    """Runs tasks exactly once as far as anyone sees: a lost worker's tasks begin again."""

    def start(self, runner: Runner, worker_id: str, queues: Sequence[str] | None) -> None:
        """Begin to run tasks, of these queues or of all; raises LibraryError."""

    def stop(self, drain_seconds: float) -> None:
        """Claim no more tasks, and wait for those in flight; the rest is for other workers."""

    def open_queue(self, queue: str, limits: QueueLimits) -> None:
        """Make a queue, or change its limits."""

    def close_queue(self, queue: str) -> None:
        """Remove a queue."""

    def forget(self, task_ids: Collection[str]) -> None:
        """Remove all that is kept of tasks."""

    def enqueue(self, connection: sa.Connection, queue: str, tasks: Sequence[Task]) -> None:
        """Add tasks within the caller's transaction; a task that is known is left as it is."""

    def ended(self, task_ids: Collection[str]) -> Mapping[str, str]:
        """Return the tasks that run no more, with the reason if the engine gave one up."""

    def ended_in(self, queue: str) -> list[str]:
        """Return the names of tasks of a queue that run no more and are not forgotten, some."""

    def owners(self) -> set[str]:
        """Return the workers that have claimed tasks, dead or alive."""

    def take_over(self, worker_ids: Collection[str]) -> int:
        """Give the tasks of dead workers back to their queues; return how many. Repeatable."""
