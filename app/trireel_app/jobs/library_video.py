# SPDX-License-Identifier: Apache-2.0
"""One video of a job whose output is a library: analysed, then put into library and index."""

import threading
import time
from functools import partial

from trireel_app.analyse.servers import Lease
from trireel_app.engine.port import Task
from trireel_app.errors import LibraryError
from trireel_app.index.feed import analysed_record, library_options
from trireel_app.index.keeper import Keeper
from trireel_app.jobs.job import Outcome, VideoState
from trireel_app.jobs.store import Claim, JobStore
from trireel_app.jobs.watched import Board, Watched
from trireel_app.library import Library, VideoRecord
from trireel_app.sources.facts import SourceFacts

MAINTAINED_SECONDS = 60.0
"""Longest time for which the words and vectors of new videos are not in the index's indexes."""


class LibraryVideos:
    """Puts the videos of a process into libraries."""

    def __init__(self, store: JobStore, board: Board) -> None:
        self._store = store
        self._board = board
        self._keepers: dict[str, Keeper] = {}
        self._to_maintain: set[str] = set()
        self._maintained_at: dict[str, float] = {}
        self._watched: dict[str, Watched] = {}
        self._lock = threading.Lock()

    async def record(self, task: Task, claim: Claim, lease: Lease, *, is_last: bool) -> VideoRecord:
        """Analyse a video; raises TrireelError, LibraryError.

        Args:
            is_last: True if no attempt follows. Then scenes are described only if the job asks for
                it: a language model that is away must not cost a video its other findings.
        """
        spec = claim.spec
        options = await library_options(
            self._keeper(spec.output),
            lease,
            spec.options,  # type: ignore[arg-type]
            with_descriptions=not (is_last and spec.attempts > 1),
        )
        analysed = partial(analysed_record, lease, claim.source, options, video_id=spec.video_id)
        if not spec.is_watched:
            return await analysed()
        watched = self._watched[task.id] = self._board.begin(task.job_id, spec)
        return await analysed(watch=watched)

    async def end(self, task: Task) -> None:
        """Write the last notes of a video that is watched, if an analysis of it had begun."""
        if watched := self._watched.pop(task.id, None):
            await self._board.end(watched)

    def keep(self, task: Task, claim: Claim, record: VideoRecord) -> Outcome:
        """Put a video into its library; a second time replaces the first. Raises LibraryError."""
        root = claim.spec.output
        keeper = self._keeper(root)
        keeper.put(record)
        if not self._store.has(task.job_id):  # removed meanwhile: so the video has to go too
            keeper.remove(record.video_id)
        with self._lock:
            self._to_maintain.add(root)
        made = record.facts["manifest"]
        return Outcome(
            state=VideoState.DONE,
            duration_seconds=record.duration_seconds,
            num_rows=len(record.frames.timestamps_seconds),
            stamp=record.facts["stamp"],
            source=SourceFacts(**made["source"]),
            summary={"num_scenes": len(record.scenes), "tags": _tags(record)},
        )

    def maintain(self) -> None:
        """Bring the indexes of libraries with new videos up to date, no more than once a minute."""
        with self._lock:
            now = time.monotonic()
            due = [
                root
                for root in self._to_maintain
                if now > self._maintained_at.get(root, -MAINTAINED_SECONDS) + MAINTAINED_SECONDS
            ]
            self._to_maintain -= set(due)
            self._maintained_at |= dict.fromkeys(due, now)
        for root in due:
            try:
                self._keeper(root).maintain()
            except LibraryError:  # searches are slower meanwhile, and no less complete
                with self._lock:
                    self._to_maintain.add(root)

    def _keeper(self, root: str) -> Keeper:
        with self._lock:
            if root not in self._keepers:
                self._keepers[root] = Keeper(Library(root))
            return self._keepers[root]


def _tags(record: VideoRecord) -> list[dict[str, object]]:
    found = record.answer.get("tags") or ()
    return [{"text": tag["text"], "probability": tag["probability"]} for tag in found]
