# SPDX-License-Identifier: Apache-2.0
"""The end of a job: its output is written, then its traces go. Each step may be done twice."""

from collections.abc import Collection
from itertools import chain

from trireel_app.engine.port import Engine, Task
from trireel_app.jobs.job import (
    WATCHED_QUEUE,
    Form,
    Job,
    JobState,
    Outcome,
    VideoState,
)
from trireel_app.jobs.output import places
from trireel_app.jobs.output.assemble import assemble
from trireel_app.jobs.output.parts import parts_folder
from trireel_app.jobs.store import JobStore
from trireel_app.jobs.tables import VIDEOS
from trireel_app.jobs.watched import tell_settled


def write_output(store: JobStore, job: Job) -> None:
    """Write the output of a job whose videos are all settled; raises LibraryError.

    Videos whose parts are lost, as after a power failure, are analysed again. A library has its
    videos already.
    """
    if job.spec.form is Form.LIBRARY:
        store.move(job.id, JobState.RUNNING, JobState.WRITTEN)
        return
    job = store.job(job.id)  # with the facts that its first answer brought
    lost = assemble(job, store.videos(job.id))
    if lost:
        store.reopen(job.id, lost)
    else:
        store.move(job.id, JobState.RUNNING, JobState.WRITTEN)


def settle_orphans(store: JobStore, engine: Engine, job_id: str) -> None:
    """End videos whose tasks have ended without an outcome, so that no job waits for ever.

    A task that the engine gave up is a failure. Any other one is analysed again.
    """
    queued = store.videos(job_id, VIDEOS.c.state == VideoState.QUEUED)
    tasks = {(task := Task(job_id, v.number, v.round, 1)).id: task for v in queued}
    again = []
    for task_id, reason in engine.ended(tasks).items() if tasks else ():
        if reason:
            failure = Outcome(state=VideoState.FAILED, reason=reason, kind="GivenUp")
            store.settle(tasks[task_id], failure, tell_settled(failure))
        elif store.claim(tasks[task_id]) is not None:  # still without an outcome
            again.append(tasks[task_id].number)
    if again:
        store.reopen(job_id, again)


def forget_removed(engine: Engine, live: Collection[str]) -> None:
    """Remove what the engine keeps of watched videos whose jobs were cancelled or removed.

    Args:
        live: names of the jobs that workers have, which clean up after themselves.
    """
    ended = engine.ended_in(WATCHED_QUEUE)
    old = [task_id for task_id in ended if task_id.partition("/")[0] not in live]
    if old:
        engine.forget(old)


def clean_up(store: JobStore, engine: Engine, job: Job) -> None:
    """Remove what a written job no longer needs; raises LibraryError.

    Parts stay if videos have failed: `retry-failed` needs them.
    """
    if job.progress.failed == 0 and job.spec.form is not Form.LIBRARY:
        places.remove_folder(parts_folder(job.id, job.spec))
    ids = chain.from_iterable(
        (Task(job.id, video.number, number, 1).id for number in range(video.round + 1))
        for video in store.videos(job.id)
    )
    engine.forget(list(ids))
    if not job.spec.is_watched:
        engine.close_queue(job.queue)
    store.move(job.id, JobState.WRITTEN, JobState.FINISHED)
