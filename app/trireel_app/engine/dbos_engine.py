# SPDX-License-Identifier: Apache-2.0
"""The durable engine: DBOS in this process, its state in our database.

DBOS recovers the tasks of a worker of the same name alone, and has no heartbeats. So each worker
has a name of its own, and `take_over` gives back what dead workers have claimed.
"""

import logging
import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, DBOSConfig
from dbos._serialization import DBOSPortableJSON  # the default loads pickle

from trireel_app.engine.port import Answer, QueueLimits, Runner, Task, TryAgain
from trireel_app.errors import LibraryError

APPLICATION = "trireel"
TASK_FORMAT = "1"
"""Version of a task's arguments: workers run tasks of their own version alone."""
SCHEMA = "trireel_engine"
"""PostgreSQL's schema of the engine's own tables."""
WORKFLOW = "analyse_video"
POLL_SECONDS = 0.1
FIRST_WAIT_SECONDS = 1.0
WAIT_FACTOR = 2.0
MOST_ATTEMPTS = 7
"""With more attempts a wait would be longer than 100 s."""
ERASED_AT_ONCE = 500
MOST_RECOVERIES = 20
"""A video that was in the hands of so many workers when they died is given up."""
ENDED = ("SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")


class DbosEngine:
    """The engine of this process; there can be one at a time."""

    def __init__(self, database: sa.Engine) -> None:
        self._database = database
        self._client: DBOSClient | None = None

    def start(self, runner: Runner, worker_id: str, queues: Sequence[str] | None) -> None:
        """Begin to run tasks; see `Engine`."""
        logging.getLogger("dbos").setLevel(logging.CRITICAL)  # errors are told by the worker
        config: DBOSConfig = {
            "name": APPLICATION,
            "system_database_engine": self._database,
            "dbos_system_schema": SCHEMA,
            "executor_id": worker_id,
            "application_version": TASK_FORMAT,
            "serializer": DBOSPortableJSON,
            "log_level": "CRITICAL",
            "enable_otlp": False,
            "use_listen_notify": False,
        }
        DBOS(config=config)
        _register(runner)
        if queues is not None:
            DBOS.listen_queues(queues)
        try:
            DBOS.launch()
        except Exception as error:  # DBOS raises what its parts raise
            DBOS.destroy(destroy_registry=True)
            raise LibraryError(f"the database cannot be used: {error}") from error
        self._client = DBOSClient(
            system_database_engine=self._database,
            dbos_system_schema=SCHEMA,
            serializer=DBOSPortableJSON,
            application_name=APPLICATION,
        )

    def stop(self, drain_seconds: float) -> None:
        """Claim no more tasks; see `Engine`."""
        if self._client is not None:
            DBOS.destroy(
                destroy_registry=True, workflow_completion_timeout_sec=math.ceil(drain_seconds)
            )
            self._client.destroy()
            self._client = None

    def open_queue(self, queue: str, limits: QueueLimits) -> None:
        """Make a queue, or change its limits."""
        in_flight = limits.in_flight
        per_worker = limits.per_worker if in_flight is None else min(limits.per_worker, in_flight)
        DBOS.register_queue(
            queue,
            worker_concurrency=per_worker,
            global_concurrency=in_flight,
            limiter=_limiter(limits.per_minute),
            polling_interval_sec=POLL_SECONDS,
            on_conflict="always_update",
        )

    def close_queue(self, queue: str) -> None:
        """Remove a queue."""
        DBOS.delete_queue(queue)

    def forget(self, task_ids: Collection[str]) -> None:
        """Remove all that is kept of tasks."""
        ids = list(task_ids)
        for first in range(0, len(ids), ERASED_AT_ONCE):
            DBOS.delete_workflows(ids[first : first + ERASED_AT_ONCE])

    def enqueue(self, connection: sa.Connection, queue: str, tasks: Sequence[Task]) -> None:
        """Add tasks within the caller's transaction; a task that is known is left as it is."""
        assert self._client is not None
        for task in tasks:
            self._client.enqueue_in_transaction(
                connection,
                {
                    "workflow_name": WORKFLOW,
                    "queue_name": queue,
                    "workflow_id": task.id,
                    "app_version": TASK_FORMAT,
                },
                task.job_id,
                task.number,
                task.round,
                task.attempts,
            )

    def ended(self, task_ids: Collection[str]) -> Mapping[str, str]:
        """Return the tasks that run no more, with the reason if the engine gave one up."""
        found = DBOS.list_workflows(
            workflow_ids=list(task_ids), status=list(ENDED), load_input=False, load_output=False
        )
        return {
            each.workflow_id: "" if each.status == ENDED[0] else f"given up: {each.status}"
            for each in found
        }

    def ended_in(self, queue: str) -> list[str]:
        """Return the names of tasks of a queue that run no more and are not forgotten, some."""
        found = DBOS.list_workflows(
            queue_name=queue,
            status=list(ENDED),
            limit=ERASED_AT_ONCE,
            load_input=False,
            load_output=False,
        )
        return [each.workflow_id for each in found]

    def owners(self) -> set[str]:
        """Return the workers that have claimed tasks, dead or alive."""
        pending = DBOS.list_workflows(
            status="PENDING", app_version=TASK_FORMAT, load_input=False, load_output=False
        )
        return {status.executor_id for status in pending if status.executor_id}

    def take_over(self, worker_ids: Collection[str]) -> int:
        """Give the tasks of dead workers back to their queues; return how many. Repeatable."""
        # Gives back what these workers still own, in one statement a task: twice does no harm.
        return len(DBOS._recover_pending_workflows(list(worker_ids)))


def _register(runner: Runner) -> None:
    """Register the one workflow: attempts, which are remembered, then the answer is kept."""

    @DBOS.workflow(name=WORKFLOW, max_recovery_attempts=MOST_RECOVERIES)
    async def analyse_video(job_id: str, number: int, round_number: int, attempts: int) -> None:
        task = Task(job_id, number, round_number, min(attempts, MOST_ATTEMPTS))

        async def attempt() -> Answer:
            status = DBOS.step_status
            begun = status.current_attempt if status is not None else None
            is_last = task.attempts == 1 or (begun or 0) + 1 >= task.attempts
            return await runner.attempt(task, is_last)

        answer = await DBOS.run_step_async(
            {
                "name": "attempt",
                "retries_allowed": task.attempts > 1,
                "max_attempts": task.attempts,
                "interval_seconds": FIRST_WAIT_SECONDS,
                "backoff_rate": WAIT_FACTOR,
                "should_retry": _is_worth_it,
            },
            attempt,
        )
        await runner.settle(task, answer)


def _is_worth_it(error: BaseException) -> bool:
    return isinstance(error, TryAgain)


def _limiter(per_minute: float | None) -> Any:
    """Return a limit over a short time, so that tasks do not begin all at once."""
    if per_minute is None:
        return None
    limit = max(1, int(per_minute / 60))
    return {"limit": limit, "period": 60 * limit / per_minute}
